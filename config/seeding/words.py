"""The vocabulary of made-up products, customers and places."""

from collections.abc import Mapping, Sequence

SHELVES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "Workshop": {
        "Hand tools": ("Hammer", "Chisel", "Screwdriver", "Pliers", "Spanner"),
        "Benches": ("Workbench", "Sawhorse", "Vice", "Trestle"),
        "Fixings": ("Bracket", "Hinge", "Hook", "Anchor"),
        "Tool storage": ("Toolbox", "Rack", "Drawer unit", "Pegboard"),
        "Painting": ("Brush", "Roller", "Palette", "Dust sheet"),
    },
    "Camping": {
        "Tents": ("Tent", "Tarp", "Awning", "Groundsheet"),
        "Sleeping": ("Sleeping bag", "Hammock", "Camp bed", "Mat"),
        "Camp kitchen": ("Stove", "Kettle", "Mess tin", "Cool box"),
        "Lights": ("Lantern", "Torch", "Headlamp", "Fairy light"),
    },
    "Cycling": {
        "Bags for bicycles": ("Pannier", "Saddlebag", "Basket", "Frame bag"),
        "Parts": ("Saddle", "Handlebar", "Pedal", "Mudguard", "Bell"),
        "Riding clothes": ("Jersey", "Glove", "Rain cape", "Helmet"),
        "Bicycle care": ("Pump", "Repair kit", "Chain oil", "Stand"),
    },
    "Music": {
        "Strings": ("Guitar", "Ukulele", "Violin", "Banjo"),
        "Percussion": ("Drum", "Tambourine", "Shaker", "Xylophone"),
        "For the stage": ("Microphone", "Music stand", "Cable", "Stool"),
        "Cases": ("Guitar case", "Violin case", "Gig bag", "Stick bag"),
    },
    "Pets": {
        "Dogs": ("Dog lead", "Dog collar", "Dog bed", "Chew toy"),
        "Cats": ("Scratching post", "Cat basket", "Cat flap", "Feather toy"),
        "Birds": ("Bird bath", "Nesting box", "Bird table", "Perch"),
        "Bowls": ("Feeding bowl", "Water bowl", "Travel bowl", "Treat jar"),
    },
    "Toys": {
        "Building": ("Block set", "Marble run", "Puzzle", "Train set"),
        "Dolls and figures": ("Doll", "Puppet", "Bear", "Rabbit"),
        "Games": ("Board game", "Chess set", "Domino set", "Skittles"),
        "Outdoors": ("Kite", "Swing", "Scooter", "Skipping rope"),
    },
    "Office": {
        "Writing": ("Fountain pen", "Pencil", "Ink bottle", "Pen holder"),
        "Paper": ("Sketchbook", "Planner", "Envelope", "Index card"),
        "Desks": ("Desk", "Desk lamp", "Monitor stand", "Footrest"),
        "Filing": ("Folder", "Letter tray", "Filing box", "Label maker"),
    },
    "Sewing": {
        "Fabric": ("Fabric", "Lining", "Ribbon", "Patch"),
        "Yarn": ("Yarn", "Thread", "Embroidery kit", "Knitting kit"),
        "Sewing tools": ("Scissors", "Needle case", "Thimble", "Tape measure"),
        "Sewing boxes": ("Sewing box", "Button box", "Bobbin box", "Pincushion"),
    },
}
"""Main categories, what is in them, and what is in those."""

QUALITIES = (
    "Adjustable", "Angled", "Balanced", "Blunt", "Bright", "Broad", "Classic", "Compact", "Curved",
    "Deep", "Double", "Everyday", "Folding", "Handmade", "Heavy", "Large", "Light", "Little",
    "Long", "Narrow", "Nordic", "Padded", "Pocket", "Polished", "Portable", "Quiet", "Ribbed",
    "Round", "Rustic", "Short", "Simple", "Slim", "Smooth", "Soft", "Stackable", "Sturdy", "Tall",
    "Travelling", "Waterproof", "Woven",
)  # fmt: skip

MATERIALS = (
    "Ash", "Aluminium", "Bamboo", "Beech", "Birch", "Brass", "Canvas", "Cedar", "Cherry", "Copper",
    "Cork", "Cotton", "Enamel", "Felt", "Flax", "Hemp", "Iron", "Jute", "Larch", "Leather",
    "Linen", "Maple", "Oak", "Paper", "Pine", "Rubber", "Steel", "Walnut", "Willow", "Wool",
)  # fmt: skip

COLOURS = ("black", "blue", "brown", "green", "grey", "natural", "red", "white", "yellow")
SIZES = ("small", "medium", "large")

PRAISE = (
    "Made in small series by people who use it themselves.",
    "It comes ready for use, with a spare part in the box.",
    "Can be repaired: every part is sold on its own.",
    "Packed in cardboard, without plastic.",
    "Tested for ten thousand uses, and guaranteed for ten years.",
    "Wipe it with a damp cloth, and oil it once a year.",
)

FIRST_NAMES = ("Ada", "Alan", "Barbara", "Edsger", "Frances", "Grace", "Ken", "Leslie", "Radia")
LAST_NAMES = ("Allen", "Dijkstra", "Hopper", "Lamport", "Liskov", "Lovelace", "Perlman", "Turing")
STREETS = ("Bridge Street", "Church Lane", "Garden Road", "Harbour Street", "Mill Lane")
PLACES = (
    ("DE", "Hamburg", "20095"),
    ("DE", "Munich", "80331"),
    ("DE", "Leipzig", "04109"),
    ("FR", "Lyon", "69001"),
    ("FR", "Nantes", "44000"),
    ("NL", "Utrecht", "3511"),
    ("GB", "Leeds", "LS1 4DY"),
    ("US", "Portland", "97201"),
    ("JP", "Osaka", "530-0001"),
    ("KW", "Kuwait City", "13001"),
)
"""Country, city, postcode."""
