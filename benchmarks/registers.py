"""Made-up registers of people for measuring the linkage engine, with the truth known.

A flat register: families in homes, siblings, twins, care homes, people who move, marry, use a short name;
records with slips, gaps and swapped values. `kinds` turns the kinds of trouble up and down.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks import names_in_use as names
from benchmarks.draws import Ints, choose, digit_slip, draw, nhs_numbers, postcodes, slip, street_name
from benchmarks.kinds import PLAIN, Variant

TODAY = 2026


class People:
    """The people behind a register, one array a fact. Names are codes into `words`."""

    def __init__(self, count: int, variant: Variant, random: np.random.Generator) -> None:
        self.random, self.variant = random, variant
        sizes = 1 + random.choice(
            len(variant.household), size=count, p=np.array(variant.household) / sum(variant.household)
        )
        homes = int(np.searchsorted(np.cumsum(sizes), count)) + 1
        self.home = np.repeat(np.arange(homes), sizes[:homes])[:count]
        starts = np.concatenate([[0], np.cumsum(sizes[:homes])[:-1]])
        self.place = np.arange(count) - starts[self.home]
        self.count, self.homes = count, homes
        self._families(sizes[:homes], starts)
        self._names()
        self._numbers()

    def _families(self, sizes: Ints, starts: Ints) -> None:
        random, count = self.random, self.count
        couple = (sizes >= 2) & (random.random(self.homes) < 0.75)
        self.child = self.place >= np.where(couple, 2, 1)[self.home]
        adult_age = np.where(sizes >= 3, random.integers(24, 58, self.homes), random.integers(19, 95, self.homes))
        born = TODAY - adult_age[self.home] + random.integers(-4, 5, count)
        order = self.place - np.where(couple, 2, 1)[self.home]
        gap = np.where(self.child, random.integers(1, 5, count), 0)
        gap[order == 0] = random.integers(19, 32, int((order == 0).sum()))
        steps = np.cumsum(gap)
        since = steps - np.where(
            self.child, (steps - gap)[np.minimum(starts + np.where(couple, 2, 1), count - 1)][self.home], 0
        )
        born = np.where(self.child, np.minimum(TODAY - adult_age[self.home] + since, TODAY), born)
        self.born = (
            np.clip(born, 1925, TODAY) * 10000
            + random.integers(1, 13, count) * 100
            + random.integers(1, 29, count)
        )
        self.sex = random.integers(0, 2, count)
        partner = couple[self.home] & (self.place == 1)
        self.sex[partner] = np.where(
            random.random(int(partner.sum())) < 0.96, 1 - self.sex[np.flatnonzero(partner) - 1], 1
        )
        twin = np.flatnonzero((order >= 1) & (random.random(count) < self.variant.twins * 2))
        self.born[twin] = self.born[twin - 1]
        self.twin_of = np.full(count, -1)
        self.twin_of[twin] = twin - 1
        alike = twin[random.random(len(twin)) < 0.3]
        self.sex[alike] = self.sex[alike - 1]
        self.partner = partner

    def _names(self) -> None:
        random, variant = self.random, self.variant
        men = [names.BRITISH_MEN, names.SOUTH_ASIAN_MEN, names.OTHER_MEN]
        women = [names.BRITISH_WOMEN, names.SOUTH_ASIAN_WOMEN, names.OTHER_WOMEN]
        last = [names.BRITISH_SURNAMES, names.SOUTH_ASIAN_SURNAMES, names.OTHER_SURNAMES]
        tail = [a + b for a in names.HEADS for b in names.TAILS]
        firsts = [a + b for a in names.HEADS[:40] for b in ("A", "IE", "IN", "ETTE", "AN", "EL")]
        self.words, at = [], {}
        lists = [
            ((kind, i), w) for kind, many in (("m", men), ("f", women), ("s", last)) for i, w in enumerate(many)
        ]
        for key, words in [*lists, (("t", 0), tail), (("u", 0), firsts)]:
            at[key] = len(self.words)
            self.words += words
        origin = random.choice(3, size=self.homes, p=variant.origins)
        self.origin = origin[self.home]
        family = self._surnames(origin, last, at, len(tail))
        self.last = family[self.home]
        own = self.partner & (random.random(self.count) < 0.25)
        fresh = self._surnames(self.origin[own], last, at, len(tail))
        self.last[own] = fresh
        lodger = (self.place > 0) & ~self.child & ~self.partner
        self.last[lodger] = self._surnames(self.origin[lodger], last, at, len(tail))
        self.maiden = self._surnames(self.origin, last, at, len(tail))
        self.first, self.middle = (self._forenames(men, women, at, len(firsts)) for _ in range(2))
        same = np.flatnonzero((self.twin_of >= 0) & (self.first == self.first[np.maximum(self.twin_of, 0)]))
        while len(same):
            again = self._forenames(men, women, at, len(firsts))
            self.first[same] = again[same]
            same = same[self.first[same] == self.first[self.twin_of[same]]]
        son = np.flatnonzero(
            self.child & (self.place == 2) & (self.sex == 0) & (random.random(self.count) < variant.namesakes)
        )
        father = son - self.place[son]
        son, father = son[self.sex[father] == 0], father[self.sex[father] == 0]
        self.first[son] = self.first[father]

    def _surnames(self, origin: Ints, last: list[list[str]], at: dict[tuple[str, int], int], tail: int) -> Ints:
        found = np.zeros(len(origin), dtype=np.int64)
        for number, words in enumerate(last):
            mine = origin == number
            found[mine] = at["s", number] + draw(self.random, len(words), self.variant.skew, int(mine.sum()))
        long = self.random.random(len(origin)) < self.variant.tail
        found[long] = at["t", 0] + draw(self.random, tail, 0.4, int(long.sum()))
        return found

    def _forenames(
        self, men: list[list[str]], women: list[list[str]], at: dict[tuple[str, int], int], tail: int
    ) -> Ints:
        """Forenames of a person's sex and origin; what is common shifts with the year of birth."""
        found = np.zeros(self.count, dtype=np.int64)
        shift = (TODAY - self.born // 10000) // 12 * 5
        for sex, lists in enumerate((men, women)):
            for number, words in enumerate(lists):
                mine = (self.sex == sex) & (self.origin == number)
                rank = draw(self.random, len(words), self.variant.skew, int(mine.sum()))
                found[mine] = at["mf"[sex], number] + (rank + np.where(rank > 5, shift[mine], 0)) % len(words)
        rare = self.random.random(self.count) < self.variant.tail * 0.4
        found[rare] = at["u", 0] + draw(self.random, tail, 0.4, int(rare.sum()))
        return found

    def _numbers(self) -> None:
        random = self.random
        self.nhs = nhs_numbers(random, self.count)
        mobile = random.random(self.count) < 0.55
        own = 7_400_000_000 + random.integers(0, 500_000_000, self.count)
        line = 1_130_000_000 + random.integers(0, 9_999_999, self.homes)
        self.phone = np.where(mobile, own, line[self.home])
        crowd = np.flatnonzero(
            (random.random(self.homes) < self.variant.crowded * 2) & (np.bincount(self.home) == 1)
        )
        target = np.arange(self.homes)
        target[crowd] = crowd[np.arange(len(crowd)) // 40 * 40 % max(1, len(crowd))] if len(crowd) else crowd
        self.address = target[self.home]


def make_register(people: int, variant: Variant = PLAIN, seed: int = 1) -> pl.DataFrame:
    """A register of about `people` x (1 + duplicates) records in random order.

    Columns: id, system (A or B), those of the variant as text, and the truth: person, twin (the person this
    one is a twin of, or -1). Slips never reach the truth columns.
    """
    random = np.random.default_rng(seed)
    crowd = People(people, variant, random)
    who = [np.arange(people)]
    again = np.flatnonzero(random.random(people) < variant.duplicates)
    while len(again):
        who.append(again)
        again = again[random.random(len(again)) < variant.more_copies]
    person = np.concatenate(who)
    second = np.concatenate([np.full(len(w), k > 0) for k, w in enumerate(who)])
    shuffled = random.permutation(len(person))
    person, second = person[shuffled], second[shuffled]
    columns = _Writer(crowd, variant, random, person, second).columns()
    truth = {
        "person": pl.Series(person),
        "twin": pl.Series(crowd.twin_of[person]),
        "origin": pl.Series(crowd.origin[person]),
    }
    ids = pl.Series(np.arange(len(person))).cast(pl.String).str.zfill(8)
    system = pl.Series(np.where(second, "B", "A"))
    return pl.DataFrame({"id": ids, "system": system, **{c: columns[c] for c in variant.columns}, **truth})


class _Writer:
    """Writes each person's facts down as a clerk would."""

    def __init__(
        self,
        crowd: People,
        variant: Variant,
        random: np.random.Generator,
        person: Ints,
        second: NDArray[np.bool_],
    ) -> None:
        self.crowd, self.variant, self.random, self.person, self.second = (
            crowd,
            variant,
            random,
            person,
            second,
        )
        self.rows = len(person)

    def luck(self, share: float) -> NDArray[np.bool_]:
        return self.random.random(self.rows) < share

    def columns(self) -> dict[str, pl.Series]:
        words = pl.Series(self.crowd.words)
        crowd, person, variant = self.crowd, self.person, self.variant
        renamed = self.second & (crowd.sex[person] == 1) & self.luck(variant.renamed)
        last = np.where(renamed, crowd.maiden[person], crowd.last[person])
        first, middle = crowd.first[person], crowd.middle[person]
        swap = self.luck(variant.swapped_names)
        first, last = np.where(swap, last, first), np.where(swap, first, last)
        forenames = self._short(words.gather(first))
        found = {
            "first": self._blank(self._slips(forenames), variant.blank / 2),
            "middle": self._blank(self._initials(self._slips(words.gather(middle))), variant.middle_blank),
            "last": self._blank(self._slips(words.gather(last)), variant.blank / 2),
            "dob": self._dates(),
            "sex": self._blank(self._sexes(), variant.blank),
            "nhs": self._nhs(),
        }
        return found | self._addresses()

    def _short(self, text: pl.Series) -> pl.Series:
        short = text.replace(names.SHORT)
        return choose(self.luck(self.variant.short_name), short, text)

    def _initials(self, text: pl.Series) -> pl.Series:
        return choose(self.luck(0.15), text.str.slice(0, 1), text)

    def _blank(self, text: pl.Series, share: float) -> pl.Series:
        return text.to_frame("t").select(pl.when(~pl.Series(self.luck(share))).then(pl.col("t"))).to_series()

    def _slips(self, text: pl.Series) -> pl.Series:
        rows = np.flatnonzero(self.luck(self.variant.slip))
        twice = self.random.random(len(rows)) < 0.1
        slipped = [slip(self.random, t) for t in text.gather(rows).to_list()]
        slipped = [slip(self.random, t) if again else t for t, again in zip(slipped, twice, strict=True)]
        return text.clone().scatter(rows, slipped)

    def _digit_slips(self, numbers: Ints, width: int, share: float) -> pl.Series:
        text = pl.Series(numbers).cast(pl.String).str.zfill(width)
        rows = np.flatnonzero(self.luck(share))
        return text.scatter(rows, [digit_slip(self.random, t) for t in text.gather(rows).to_list()])

    def _dates(self) -> pl.Series:
        born = self.crowd.born[self.person].copy()
        year, month, day = born // 10000, born // 100 % 100, born % 100
        swap = self.luck(self.variant.swapped_date) & (day <= 12)
        month, day = np.where(swap, day, month), np.where(swap, month, day)
        off = self.luck(self.variant.slip / 6)
        year = np.where(off, year + self.random.choice([-10, -1, 1, 2, 10], self.rows), year)
        first = self.luck(self.variant.default_date)
        month, day = np.where(first, 1, month), np.where(first, 1, day)
        text = self._digit_slips(year * 10000 + month * 100 + day, 8, self.variant.slip * 0.6)
        iso = text.str.slice(0, 4) + "-" + text.str.slice(4, 2) + "-" + text.str.slice(6, 2)
        return self._blank(iso, self.variant.blank)

    def _sexes(self) -> pl.Series:
        sex = self.crowd.sex[self.person] ^ self.luck(self.variant.slip / 8)
        return pl.Series(np.where(sex == 0, "M", "F"))

    def _nhs(self) -> pl.Series:
        crowd, person = self.crowd, self.person
        number = crowd.nhs[person].copy()
        wrong = np.flatnonzero(self.luck(self.variant.wrong_nhs))
        half = len(wrong) // 2
        number[wrong[:half]] = nhs_numbers(self.random, max(half, 1))[:half]
        near = person[wrong[half:]]
        number[wrong[half:]] = crowd.nhs[
            np.where((near > 0) & (crowd.home[near] == crowd.home[near - 1]), near - 1, near)
        ]
        return self._blank(self._digit_slips(number, 10, self.variant.slip / 4), self.variant.nhs_blank)

    def _addresses(self) -> dict[str, pl.Series]:
        crowd, random = self.crowd, self.random
        moved = self.second & self.luck(self.variant.moved)
        home = np.where(moved, random.integers(0, crowd.homes, self.rows), crowd.address[self.person])
        near = moved & self.luck(0.25)
        home = np.where(
            near,
            np.clip(crowd.address[self.person] + random.integers(-200, 200, self.rows), 0, crowd.homes - 1),
            home,
        )
        phone = np.where(
            moved & self.luck(0.6),
            7_400_000_000 + random.integers(0, 500_000_000, self.rows),
            crowd.phone[self.person],
        )
        street, house = home // 37, 1 + home % 37 * 2
        street_text = pl.Series([street_name(s) for s in range(int(street.max()) + 1)])
        houses = pl.Series(house).cast(pl.String)
        flat = home % 11 == 0
        houses = choose(flat, "FLAT " + pl.Series(home % 5 + 1).cast(pl.String) + " " + houses, houses)
        return {
            "house": self._blank(
                choose(self.luck(self.variant.slip / 2), pl.Series(house + 2).cast(pl.String), houses),
                self.variant.blank,
            ),
            "street": self._blank(self._slips(street_text.gather(street)), self.variant.blank),
            "postcode": self._blank(self._slips(postcodes(home // 15).gather(home // 15)), self.variant.blank),
            "phone": self._blank(self._digit_slips(phone, 11, self.variant.slip / 2), self.variant.phone_blank),
        }
