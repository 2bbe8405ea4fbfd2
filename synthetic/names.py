"""Names of people: skewed as they are, by sex, by the decade of birth and by where a family comes from.

The commonest surname is borne by about one in eighty, thousands stand for a handful of families each:
linkage that has only met uniform names has not met names. Long tails are built from parts.
"""

from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CULTURES: Final = ("british", "irish", "muslim", "indian", "african", "polish", "chinese")

_BRITISH = """
Smith Jones Williams Taylor Brown Davies Evans Wilson Thomas Johnson Roberts Robinson Thompson Wright
Walker White Edwards Hughes Green Hall Lewis Harris Clarke Patterson Jackson Wood Turner Martin Cooper
Hill Ward Morris Moore Clark Lee King Baker Harrison Morgan Allen James Scott Phillips Watson Davis Parker
Price Bennett Young Griffiths Mitchell Kelly Cook Carter Richardson Bailey Collins Bell Shaw Murphy Miller
Cox Richards Marshall Anderson Simpson Ellis Adams Wilkinson Foster Chapman Mason Webb Rogers Gray Hunt
Mills Holmes Palmer Matthews Gibson Fisher Barnes Knight Lloyd Butler Russell Barker Stevens Jenkins Dixon
Fletcher Hunter Graham Armstrong Charlton Robson Milburn Stephenson Dodds Hedley Ord Pattison Nicholson
Hetherington Liddle Tait Forster Heslop Laidler Rutherford Elliott Storey Atkinson Coulson Maughan
Bainbridge Carr Wardle Hogg Proud Thirlwell Coates Snowdon Dawson Henderson Reid Murray Ross Campbell
Stewart Cameron McDonald McKenzie McLean McGregor Fraser Ferguson Kerr Sinclair Crawford Douglas Boyd
Wallace Featherstonehaugh Postlethwaite Birtwistle Higginbottom Ramsbottom Entwistle Greenhalgh Sidebottom
Longbottom Hargreaves Sutcliffe Ackroyd Barraclough Fearnley Illingworth Akers Applegarth Beresford
Crowther Dobson Earnshaw Fairbairn Garside Holroyd Iveson Jagger Kitching Lumley Metcalfe Naylor Oldroyd
Pickles Rawnsley Scargill Tordoff Uttley Varley Whiteley
"""
_IRISH = """
Murphy Kelly O'Brien Ryan O'Connor Walsh O'Sullivan McCarthy Gallagher Doherty Kennedy Lynch Quinn
McLaughlin Connolly Daly O'Reilly Doyle Brennan Burke Nolan Fitzgerald Byrne O'Neill Duffy Kavanagh Ward
McDonagh Maughan Sweeney Donnelly O'Donnell Flanagan Keenan Hegarty Boyle Rafferty McCann Mulligan
O'Rourke Cassidy Dolan Farrell Geraghty
"""
_MUSLIM = """
Khan Ahmed Hussain Ali Begum Akhtar Mahmood Iqbal Malik Bibi Shah Miah Rahman Hassan Uddin Chowdhury
Mohammed Mirza Butt Aslam Rashid Qureshi Siddiqui Sheikh Rehman Khatun Islam Choudhry Hussein Abdullah
Karim Saleem Aziz Farooq Nawaz Anwar Yousaf Zaman Javed Raja Ibrahim Omar Mahamud Abdi Warsame Jama Osman
Haji Rahimi Ahmadi Karimi Hosseini
"""
_INDIAN = """
Singh Patel Kaur Sharma Kumar Shah Gill Sandhu Dhillon Sidhu Bains Grewal Desai Mistry Parmar Chauhan
Solanki Joshi Mehta Gupta Rai Thapa Gurung Reddy Nair Menon Fernandes D'Souza Thomas Varghese Mathew
Chopra Kapoor Bhatt
"""
_AFRICAN = """
Adeyemi Okafor Mensah Okonkwo Adebayo Eze Nwosu Osei Boateng Owusu Appiah Asante Diallo Kamara Sesay
Koroma Bangura Conteh Moyo Ncube Dube Sibanda Ndlovu Mutasa Chikwanha Tesfaye Bekele Haile Gebremariam
Tekle Kidane Mbeki Banda Phiri Mwale Kabongo Ilunga Mukendi Tshibangu Balogun Oladipo Ogunleye Adewale
Nkrumah Amoah Addo Chukwu Obi Igwe
"""
_POLISH = """
Nowak Kowalski Kowalska Wojcik Kaminski Kaminska Lewandowski Lewandowska Zielinski Szymanski Wozniak
Dabrowski Kozlowski Mazur Jankowski Krawczyk Zajac Popescu Ionescu Popa Radu Stan Dumitru Constantin
Horvath Novak Kovac Lakatos Balog Petrov Ivanov Dimitrov Georgiev Kazlauskas Petrauskas Jankauskas Ozols
Kalnins Berzins Nagy Szabo Toth Varga Conka
"""
_CHINESE = """
Wong Chan Cheung Li Chen Lau Ng Liu Wang Zhang Lam Leung Ho Tang Yip Tran Nguyen Pham Kim Park Lim Tan
Santos Reyes Cruz Garcia Bautista Ramos Suzuki Tanaka
"""

# English toponymic surnames are a first part and a last part; together they give the long tail.
_FRONT = """
Ash Alder Bar Beck Ber Black Blen Brad Bram Bran Brack Brough Burn Cal Car Chat Chil Clay Cleve Clif Colt
Comp Copp Cran Cress Crom Dal Dar Den Dray Dun East Ed Ellen Elm Fair Fen Fern Gart Glad Graf Hal Ham Har
Hat Hazel Hed Hel Hey Hol Horn Hux Kel Ken Kil Kirk Lang Lath Lea Lin Lock Long Mar May Mel Mid Mil Mor
Nor Oak Orm Pem Pen Pick Pres Rad Raw Red Rip Roth Rush Sed Shel Sher Skel Staf Stan Sten Stock Strat Sud
Sun Swin Tad Tap Thorn Til Tun Wad Wake Wal War Wat Wel West Whit Wil Win Wood Wor Wych
"""
_BACK = """
ton ley ford worth well by ham man ridge wick field bourne shaw den combe low house thorpe gate brook
stead hurst dale wood bury
"""

_BOYS = {
    1900: """
William John George James Thomas Robert Arthur Joseph Albert Charles Frederick Ernest Harold Alfred Walter
Henry Leonard Norman Reginald Stanley Sidney Herbert Cecil Wilfred Percy Edward Francis Clifford Horace
Cyril
""",
    1930: """
John Peter William James Ronald Kenneth Derek Dennis Alan Robert Brian David Michael George Raymond Thomas
Roy Donald Gordon Eric Leslie Joseph Keith Anthony Terence Geoffrey Maurice Trevor Douglas Ralph
""",
    1955: """
David Paul Andrew Mark Stephen John Michael Ian Kevin Alan Robert Gary Steven Peter Neil Philip Anthony
Christopher Colin Martin Graham Keith Barry Nigel Trevor Simon Carl Darren Wayne Geoffrey Sean Russell
""",
    1978: """
Christopher James David Daniel Michael Matthew Andrew Richard Paul Mark Thomas Adam Robert John Lee
Benjamin Steven Craig Jonathan Stuart Ryan Jason Anthony Dean Shaun Scott Gareth Liam Nathan Simon Philip
Carl Aaron Karl
""",
    1992: """
Thomas Jack Daniel James Joshua Matthew Ryan Luke Samuel Jordan Adam Alexander Connor Liam Kieran Nathan
Lewis Callum Jake Benjamin Kyle Bradley Aaron Ashley Joseph Brandon Dylan Declan Reece Scott Curtis Dale
Shane Corey
""",
    2006: """
Jack Oliver Harry Alfie Charlie Joshua Thomas William Riley Jayden Tyler Logan Ethan Noah Leo Mason Lewis
Max Kian Harvey Archie Oscar Jacob Dylan Finley Kayden Toby Bobby Leon Jude Theo Zac Tommy Frankie Jaxon
Kai Corey Brody
""",
    2016: """
Oliver Noah George Arthur Muhammad Leo Harry Oscar Archie Jack Theodore Freddie Alfie Charlie Teddy Theo
Luca Jude Albie Reggie Tommy Ronnie Hunter Jaxon Roman Louie Grayson Rory Elijah Ezra Hudson Kyrie Carter
Bodhi Zion
""",
}
_GIRLS = {
    1900: """
Mary Elizabeth Florence Annie Margaret Edith Alice Doris Elsie Ethel Dorothy Gladys Hilda Lilian Winifred
Violet Ivy Nellie Ada Phyllis Marjorie Ellen Sarah Emily Beatrice Mabel Jane Olive Minnie Gertrude
""",
    1930: """
Margaret Jean Mary Joan Patricia Sheila Barbara Doreen June Shirley Dorothy Joyce Maureen Audrey Brenda
Kathleen Pamela Betty Eileen Beryl Irene Norma Sylvia Marjorie Jacqueline Hazel Olive Edna Freda Thelma
""",
    1955: """
Susan Linda Christine Margaret Carol Jacqueline Julie Janet Patricia Karen Deborah Sandra Tracey Jane
Angela Helen Alison Elizabeth Maureen Gillian Denise Lesley Pauline Diane Lynn Sharon Dawn Beverley Amanda
Lorraine
""",
    1978: """
Sarah Claire Emma Kelly Nicola Lisa Rebecca Michelle Victoria Joanne Samantha Rachel Laura Louise Donna
Gemma Kerry Leanne Natalie Stacey Lindsay Hayley Katie Jennifer Amy Danielle Lyndsey Marie Melanie Cheryl
Kirsty Zoe
""",
    1992: """
Rebecca Lauren Jessica Charlotte Hannah Sophie Amy Emily Laura Emma Chloe Sarah Lucy Katie Bethany Jade
Megan Danielle Abigail Shannon Natasha Stephanie Jodie Kirsty Chelsea Paige Natalie Leah Toni Kayleigh
Courtney Zoë
""",
    2006: """
Olivia Ruby Chloe Emily Jessica Sophie Grace Lily Amelia Evie Mia Ava Ella Summer Lexi Isabella Millie
Poppy Skye Lacey Maisie Libby Scarlett Lola Amber Freya Tia Madison Keira Ellie Demi Brooke Ebony Renée
Chanel Kacey
""",
    2016: """
Olivia Amelia Isla Ava Mia Lily Freya Ivy Florence Willow Elsie Poppy Evelyn Aria Harper Ella Isabelle
Grace Darcie Bonnie Penelope Maeve Luna Mila Hallie Dolly Nancy Lottie Orla Ottilie Aurora Nevaeh Delilah
Esmé Chloë
""",
}
_ERAS: Final = tuple(_BOYS)
_OTHER_BOYS = {
    "irish": """
Patrick Michael John James Sean Daniel Liam Conor Martin Brendan Declan Eoin Padraig Kevin Miley Bernard
""",
    "muslim": """
Mohammed Muhammad Ahmed Ali Hassan Hussain Ibrahim Yusuf Omar Imran Bilal Hamza Zain Adam Abdul Tariq
Kamran Usman Asif Rashid Shahid Khalid Mustafa Idris Amir Haroon Rayyan Sami Farhan Nasir
""",
    "indian": """
Gurpreet Harpreet Raj Sanjay Amit Rohan Arjun Vikram Jaspal Manjit Balvinder Anil Suresh Rahul Dev Kiran
""",
    "african": """
Emmanuel Samuel Daniel David Joseph Kwame Kofi Chidi Emeka Tunde Ayodele Tendai Tafadzwa Yonas Dawit
Samson Abel Moses Isaac Blessing
""",
    "polish": """
Jakub Piotr Adam Michal Pawel Krzysztof Tomasz Marcin Andrei Ion Stefan Marian Jan Kacper Oskar Filip
Lukas Milan Janis Tomas
""",
    "chinese": """
Wei Jun Ming David Kevin Jason Hao Minh Tuan Jin Jose Mark Kenji Daniel Chun
""",
}
_OTHER_GIRLS = {
    "irish": """
Mary Bridget Margaret Kathleen Eileen Siobhan Aoife Niamh Sinead Nora Ciara Roisin Brigid Teresa Anne
Grainne
""",
    "muslim": """
Fatima Aisha Zainab Maryam Khadija Shazia Nasreen Rukhsana Amina Hafsa Sana Saima Nadia Rabia Parveen Noor
Sumaya Layla Hana Safiya Rehana Tahira Naseem Yasmin Farah Asma
""",
    "indian": """
Harpreet Gurpreet Jaswinder Priya Anjali Meena Sunita Manjit Simran Rani Lakshmi Nisha Asha Kiran Pooja
Diya
""",
    "african": """
Grace Blessing Mercy Faith Joy Esther Ruth Ngozi Chioma Amaka Folake Abena Akosua Tsitsi Rutendo Selam
Hiwot Winnie Precious Patience
""",
    "polish": """
Anna Katarzyna Agnieszka Maria Zuzanna Julia Magdalena Monika Ewa Joanna Elena Ioana Andreea Maja Hanna
Alicja Viktoria Vanesa Kristina Ilze
""",
    "chinese": """
Mei Ling Li Hui Grace Amy Jenny Yan Xiu Lan Thi Maria Hana Min Ying
""",
}

# Which other name one human being goes by; a duplicate record often carries the other one.
_SHORT_FORMS = """
William:Bill Robert:Bob Richard:Dick John:Jack James:Jim Margaret:Peggy Elizabeth:Betty Dorothy:Dot
Patricia:Pat Susan:Sue Christopher:Chris Michael:Mick Anthony:Tony Thomas:Tommy Edward:Ted Joseph:Joe
Samuel:Sam Benjamin:Ben Daniel:Danny Matthew:Matt Andrew:Andy David:Dave Stephen:Steve Steven:Steve
Kenneth:Ken Ronald:Ron Katherine:Kate Jacqueline:Jackie Deborah:Debbie Jennifer:Jenny Victoria:Vicky
Rebecca:Becky Samantha:Sam Alexander:Alex Joshua:Josh Nicholas:Nick Philip:Phil Frederick:Fred Albert:Bert
Harold:Harry Ernest:Ernie Leonard:Len Arthur:Artie Florence:Flo Winifred:Winnie Kathleen:Kath
Charlotte:Charlie Jessica:Jess Abigail:Abbie Isabella:Bella Amelia:Millie Oliver:Ollie Alfred:Alfie
Theodore:Teddy Archie:Archibald Charles:Charlie George:Georgie Henry:Harry Mohammed:Mo Katarzyna:Kasia
Agnieszka:Aga Harpreet:Harry Emmanuel:Manny Patrick:Paddy Bridget:Biddy Mary:Molly Natalie:Nat
Stephanie:Steph Bethany:Beth Gillian:Gill Pamela:Pam Barbara:Babs Geoffrey:Geoff Terence:Terry Raymond:Ray
"""
NICKNAMES: Final = dict(pair.split(":") for pair in _SHORT_FORMS.split())


@dataclass(frozen=True, slots=True)
class Pool:
    """Indices into the flat name list, with the running total of their frequencies."""

    members: Ints
    rising: Floats

    def draw(self, rng: np.random.Generator, n: int) -> Ints:
        at = np.searchsorted(self.rising, rng.random(n) * self.rising[-1], side="right")
        return np.asarray(self.members[at], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Names:
    surnames: list[str]
    forenames: list[str]
    surname_pools: dict[str, Pool]
    forename_pools: dict[tuple[str, int, int], Pool]

    def draw_surnames(self, rng: np.random.Generator, culture: Ints) -> Ints:
        out = np.zeros(len(culture), dtype=np.int64)
        for number, name in enumerate(CULTURES):
            where = np.flatnonzero(culture == number)
            out[where] = self.surname_pools[name].draw(rng, len(where))
        return out

    def draw_forenames(self, rng: np.random.Generator, culture: Ints, female: Ints, year: Ints) -> Ints:
        era = np.searchsorted(np.array(_ERAS[1:]) - 7, year, side="right")
        out = np.zeros(len(culture), dtype=np.int64)
        for (name, sex, age), pool in self.forename_pools.items():
            same_era = era == age if name == "british" else True
            where = np.flatnonzero((culture == CULTURES.index(name)) & (female == sex) & same_era)
            out[where] = pool.draw(rng, len(where))
        return out


def _skewed(members: list[int], offset: float, slope: float = 0.9, own: int | None = None) -> Pool:
    """Zipf's law over the list in its order; a larger offset flattens the top. Names after `own` are rare."""
    weight = 1.0 / (np.arange(len(members)) + offset) ** slope
    weight[own:] *= 1.0 if own is None else 0.12
    return Pool(np.array(members, dtype=np.int64), np.cumsum(weight))


def _index(words: list[str], place: dict[str, int]) -> list[int]:
    return [place.setdefault(word, len(place)) for word in dict.fromkeys(words)]


def _surname_pools(place: dict[str, int]) -> dict[str, Pool]:
    parts = [front + back for front in _FRONT.split() for back in _BACK.split()]
    mixed = [parts[at * 1009 % len(parts)] for at in range(len(parts))]  # a stride, so that no front leads
    pools = {"british": _skewed(_index(_BRITISH.split() + mixed, place), 12)}
    rest = zip(CULTURES[1:], (_IRISH, _MUSLIM, _INDIAN, _AFRICAN, _POLISH, _CHINESE), strict=True)
    return pools | {name: _skewed(_index(text.split(), place), 3) for name, text in rest}


def _forename_pools(place: dict[str, int]) -> dict[tuple[str, int, int], Pool]:
    """Keyed by culture, sex (0 boy, 1 girl) and era; only British names change with the decade."""
    pools: dict[tuple[str, int, int], Pool] = {}
    for sex, listed in enumerate((_BOYS, _GIRLS)):
        whole = list(dict.fromkeys(chain.from_iterable(text.split() for text in listed.values())))
        for era, text in enumerate(listed.values()):
            fashionable = text.split()  # and now and then a child is named after a grandparent
            pools["british", sex, era] = _skewed(_index(fashionable + whole, place), 14, 1.2, len(fashionable))
    for sex, others in enumerate((_OTHER_BOYS, _OTHER_GIRLS)):
        for name, text in others.items():
            pools[name, sex, 0] = _skewed(_index(text.split(), place), 3)
    return pools


def build_names() -> Names:
    surnames: dict[str, int] = {}
    forenames: dict[str, int] = {}
    surname_pools = _surname_pools(surnames)
    forename_pools = _forename_pools(forenames)
    return Names(list(surnames), list(forenames), surname_pools, forename_pools)
