"""A card network that costs nothing, so that checkouts are compared and not networks."""

from monolift.kernel import Money


class InstantProvider:
    """Says yes to everything, at once."""

    def tokenise(self, *, number: str, expiry: str, cvc: str) -> str:
        """A token."""
        return "tok_instant"

    def authorise(self, *, key: str, amount: Money, token: str) -> str:
        """A charge."""
        return f"ch_{key[-12:]}"

    def capture(self, *, key: str, charge: str) -> None:
        """Done."""

    def void(self, *, key: str, charge: str) -> None:
        """Done."""

    def refund(self, *, key: str, charge: str, amount: Money) -> None:
        """Done."""
