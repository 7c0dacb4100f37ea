"""Tax by destination."""

# The standard rate of the tax on sales by country (ISO 3166-1), in hundredths of a percent, as of
# 2026. Zero where there is none (KW), or none at the federal level (US). Prices are net of it.
TAX_BASIS_POINTS = {
    "AT": 2000, "AU": 1000, "BE": 2100, "BG": 2000, "CA": 500, "CH": 810, "CY": 1900, "CZ": 2100,
    "DE": 1900, "DK": 2500, "EE": 2400, "ES": 2100, "FI": 2550, "FR": 2000, "GB": 2000, "GR": 2400,
    "HR": 2500, "HU": 2700, "IE": 2300, "IT": 2200, "JP": 1000, "KW": 0, "LT": 2100, "LU": 1700,
    "LV": 2100, "MT": 1800, "NL": 2100, "NO": 2500, "NZ": 1500, "PL": 2300, "PT": 2300, "RO": 2100,
    "SE": 2500, "SI": 2200, "SK": 2300, "US": 0,
}  # fmt: skip


def destinations() -> tuple[str, ...]:
    """The countries whose tax is known."""
    return tuple(sorted(TAX_BASIS_POINTS))
