from modules.orders import (
    ab_test,
)
