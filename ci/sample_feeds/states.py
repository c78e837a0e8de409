"""The fifty states, the vendor's three misspellings, and the Census region West."""

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
