"""The fifty states, the vendor's three misspellings, and the Census regions."""

STATES = (
    *("Alabama", "Alaska", "Arizona", "Arkansas", "California", "Colorado", "Connecticut"),
    *("Delaware", "Florida", "Georgia", "Hawaii", "Idaho", "Illinois", "Indiana"),
    *("Iowa", "Kansas", "Kentucky", "Louisiana", "Maine", "Maryland", "Massachusetts"),
    *("Michigan", "Minnesota", "Mississippi", "Missouri", "Montana", "Nebraska", "Nevada"),
    *("New Hampshire", "New Jersey", "New Mexico", "New York", "North Carolina", "North Dakota", "Ohio"),
    *("Oklahoma", "Oregon", "Pennsylvania", "Rhode Island", "South Carolina", "South Dakota", "Tennessee"),
    *("Texas", "Utah", "Vermont", "Virginia", "Washington", "West Virginia", "Wisconsin"),
    "Wyoming",
)
VENDOR_SPELLING = {"Pennsylvania": "Pensylvania", "Louisiana": "Lousiana", "Massachusetts": "Massachussets"}
WEST = (
    *("Alaska", "Arizona", "California", "Colorado", "Hawaii", "Idaho", "Montana"),
    *("Nevada", "New Mexico", "Oregon", "Utah", "Washington", "Wyoming"),
)
NORTHEAST = (
    *("Connecticut", "Maine", "Massachusetts", "New Hampshire", "New Jersey", "New York"),
    *("Pennsylvania", "Rhode Island", "Vermont"),
)
MIDWEST = (
    *("Illinois", "Indiana", "Iowa", "Kansas", "Michigan", "Minnesota", "Missouri"),
    *("Nebraska", "North Dakota", "Ohio", "South Dakota", "Wisconsin"),
)


def region_of(location: str | None) -> str | None:
    """Northeast, Midwest, South or West; None where the location is no state."""
    if location not in STATES:
        return None
    if location in WEST:
        return "West"
    return "Northeast" if location in NORTHEAST else "Midwest" if location in MIDWEST else "South"
