"""Streets, towns and postcodes of a council that is on no map: no TK postcode area exists."""

from typing import Final

import numpy as np
import polars as pl

from casebridge.synthetic.names import Ints

TOWNS: Final = (
    "Tarnwick", "Ellerby", "Stanburn", "Coldhope", "Marlow Bank", "Whinfell", "Hedley Vale", "Rushford",
    "Beck Hill", "Low Thornton", "Dunsley", "Pitmoor", "Kirkby Tarn", "Fellgate", "Aldersyke", "Winlow",
)  # fmt: skip
COUNTY: Final = "Tarnshire"
_FIRST: Final = """
Acacia Albert Alexandra Alma Ash Avenue Balmoral Bank Beech Bede Belle Bensham Birch Bridge Brook Burn
Cambridge Carlisle Castle Cedar Chapel Cherry Chestnut Chester Church Clarence Clifton Colliery Coronation
Cross Derwent Durham East Eden Edward Elm Ennerdale Fell Ferndale Field Garden George Gladstone Glebe
Grange Green Hadrian Hawthorn Hazel Heather High Hill Holly Jubilee King Laburnum Lake Lansdowne Larch
Laurel Lilac Lime Lincoln Low Manor Maple Market Meadow Mill Moor Neville North Oak Old Orchard Oxford
Park Pine Poplar Priory Prospect Queen Quarry Railway Ravensworth Rectory Regent Riverside Rose Rowan
Salisbury School Scott Shakespeare Simonside South Spring Stanley Station Sycamore Tennyson Thornhill Tyne
Union Ullswater Victoria Vine Wansbeck Waterloo Watling Wear Wellington West Westminster Whitehall Willow
Windermere Windsor Wood Woodbine York
"""
_LAST: Final = """
Street Road Avenue Close Terrace Gardens Drive Crescent Grove Lane Court Place Way Walk Square View Mews
Villas Rise Green
"""
_INWARD: Final = "ABDEFGHJLNPQRSTUWXYZ"


class Places:
    """Pools of address lines. A street lies in one town, and its postcodes with it."""

    def __init__(self) -> None:
        names = [f"{first} {last}" for first in _FIRST.split() for last in _LAST.split()]
        self.streets = pl.Series(names)
        rank = np.arange(len(names)) * 769 % len(names)
        self.rising = np.cumsum(1.0 / (rank + 40.0))
        self.town = np.arange(len(names)) * 31 % len(TOWNS)
        self.town_names = pl.Series(TOWNS)

    def draw_streets(self, rng: np.random.Generator, n: int) -> Ints:
        at = np.searchsorted(self.rising, rng.random(n) * self.rising[-1], side="right")
        return np.asarray(at, dtype=np.int64)

    def postcodes(self, street: Ints, number: Ints) -> pl.Series:
        """About fifteen neighbouring doors share one; the district follows the town."""
        block = number // 30
        district = self.town[street] + 1
        inward = (street * 7 + block * 3) % 9 + 1
        letters = (street * 131 + block * 17) % 400
        pool = pl.Series([a + b for a in _INWARD for b in _INWARD])
        frame = pl.DataFrame({"d": district, "i": inward, "l": pool.gather(letters)})
        text = pl.concat_str(pl.lit("TK"), "d", pl.lit(" "), "i", "l")
        return frame.select(text.alias("postcode")).to_series()
