from lib import stock
