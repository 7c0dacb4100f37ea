from django import (
    db,
)
