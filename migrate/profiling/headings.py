"""What columns of people are called: English, Welsh, and the languages of systems that councils take data from.

Each word stands without blanks, marks and accents (`bare_word`): DateOfBirth, DATE_OF_BIRTH and dyddiad geni.
Welsh ones as GOV.UK's and HMRC's Welsh forms have them (electoral registration, sole trader identification); the
others as forms of the registry offices of the countries have them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import permutations

from anyascii import anyascii

from casebridge.migrate.profiling.keys import words_of

_ROLES = {
    "forename": """
        forename forenames firstname firstnames givenname givennames gname fname first given christianname pername1
        enwcyntaf enwaucyntaf enwbedydd enwcynta
        vorname vornamen rufname prenom prenoms voornaam voornamen roepnaam nombre nombres primernombre
        nome nomeproprio
        imie imiona prenume fornavn fornamn etunimi ad jmeno ime keresztnev
    """,
    "middle_name": """
        middlename middlenames middle middleinitial middleinitials mi mname midlname secondname
        secondforename otherforenames forename2 firstname2 givenname2 fname2 given2 othername othernames
        enwcanol enwaucanol tussennaam segundonombre drugieimie
    """,
    "surname": """
        surname surnames lastname lastnames familyname familynames fname lname last family pername2 sname
        cyfenw enwolaf enwteulu
        nachname familienname zuname nom nomdefamille nomusuel achternaam familienaam geslachtsnaam
        apellido apellidos
        primerapellido cognome sobrenome apelido nazwisko numedefamilie efternavn etternavn efternamn sukunimi
        soyad prijmeni prezime vezeteknev
    """,
    "previous_surnames": """
        previoussurname previoussurnames formersurname formername formernames previousname previousnames
        prevsurname prevsname prevname prevlastname birthname nee maiden maidenname birthsurname previouslastname
        cyfenwblaenorol enwblaenorol enwmorwynol
        geburtsname nomdenaissance nomdejeunefille meisjesnaam nazwiskorodowe
    """,
    "birth_date": """
        dob birthdate dateofbirth birthday born birthdt datebirth dtofbirth dobirth bdate weekofbirth wob
        dyddiadgeni dyddiadgenedigaeth
        geburtsdatum gebdatum gebdat geburtstag datedenaissance datenaissance geboortedatum gebdat
        fechanacimiento
        fechadenacimiento fecnac datadinascita datanascita datadenascimento datanascimento dataurodzenia
        datanasterii
        fodselsdato fodelsedatum syntymaaika dogumtarihi datumnarozeni datumrodjenja szuletesidatum
    """,
    "death_date": """
        dod deathdate dateofdeath
        dyddiadmarw dyddiadmarwolaeth
        sterbedatum todesdatum datededeces overlijdensdatum fechadefuncion fechadedefuncion datadimorte datazgonu
    """,
    "sex": """
        sex gender gndr mf sexatbirth genderatbirth birthsex
        rhyw rhywedd
        geschlecht sexe geslacht sexo genero sesso genere plec kjonn kon sukupuoli cinsiyet pohlavi spol
    """,
    "house": """
        house houseno housenumber housename housenum streetnumber streetno stno buildingnumber paon
        rhifty enwty
        hausnummer hausnr huisnummer huisnr numeroderue numerocivico numerdomu nrdomu
    """,
    "street": """
        street street1 address address1 addressline1 line1 addr addr1 add1 addrline1 addressline addrline adr adr1
        adrline1 streetaddress streetname road
        fulladdress homeaddress
        stryd cyfeiriad cyfeiriad1 llinell1 heol
        strasse adresse adresse1 anschrift rue straat straatnaam adres calle direccion domicilio via indirizzo
        ulica endereco morada strada adresa adress gatuadress katuosoite osoite
    """,
    "postcode": """
        postcode postalcode pcode zip zipcode
        codpost
        plz postleitzahl codepostal codigopostal cap codicepostale kodpocztowy codpostal postnummer postnr
        postinumero postakodu cep psc iranyitoszam
    """,
    "phone": """
        phone telephone mobile phonenumber telno phoneno telephonenumber mobileno mobilenumber
        mobilephone homephone phonehome phonecell fullphonenumber contactnumber contactno
        contacttel telnumber mob mobno
        telephoneno tel
        ffon rhifffon ffonsymudol rhifffonsymudol
        telefon telefonnummer handy mobil portable telefoon telefoonnummer telefono movil cellulare
        telefone telemovel puhelin
    """,
    "email": """
        email emailaddress mail
        ebost cyfeiriadebost
        emailadresse courriel adressemail emailadres correo correoelectronico postaelettronica
        epost eposta sahkoposti
    """,
    "nhs_number": "nhs nhsno nhsnumber nhsid nhsnum rhifgig rhifynhs",
    "upn": "upn",
    "nino": "nino ninumber nationalinsurancenumber rhifyswiriantgwladol rhifyg",
}
_OF_AN_ADDRESS = ("address", "addr")
"""Words before a part of an address: addressCity, ADDR_POSTAL_CODE."""


def _words(text: str, of_an_address: bool) -> frozenset[str]:
    words = frozenset(text.split())
    return words.union(before + word for before in _OF_AN_ADDRESS for word in words if of_an_address)


_PLACES = """
    town city towncity suburb locality village posttown municipality county state district province region
    tref pentref sir ort stadt wohnort gemeinde bundesland ville commune departement woonplaats plaats
    gemeente provincie stad ciudad localidad municipio poblacion provincia comune citta cidade estado miasto
    miejscowosc wojewodztwo oras localitate judet postort poststed kommun lan kaupunki sehir ilce mesto
"""
PLACES = _words(_PLACES, of_an_address=True)
"""What columns are called that say where somebody lives, and have no role of their own."""
_NUMBERS = """
    ssn ssnnumber ssnno socialsecuritynumber socialsecurityno socsecid socsec nationalid nationalidnumber
    nationalidno
    idnumber nationalnumber nin passport passportno passportnumber driverslicense driverslicensenumber
    driverslicence driverslicencenumber drivinglicence drivinglicencenumber mrn medicalrecordnumber
    hospitalno hospitalnumber medicaid medicaidnumber medicare medicarenumber healthcardnumber chi chino
    chinumber taxid taxidnumber taxnumber rhifpasbort personalausweisnummer sozialversicherungsnummer svnr
    steuerid numerosecu nir bsn dni nif nie cpf codicefiscale codfiscal cnp pesel personnummer fodselsnummer
    cprnummer henkilotunnus tckimlikno
"""
NUMBERS = _words(_NUMBERS, of_an_address=False)
"""Numbers that an office gave somebody, without a role of their own."""
_AGES = """
    birthyear yearofbirth yob dobyear birthyr blwyddyngeni geburtsjahr anneedenaissance geboortejaar annodinascita
    age ageyears ageinyears oed alter leeftijd edad eta idade wiek varsta
"""
AGES = _words(_AGES, of_an_address=False)
"""What stands for a birth date where there is none: its year, or an age."""
ROLES: Mapping[str, frozenset[str]] = {
    role: _words(words, role in {"house", "street", "postcode"}) for role, words in _ROLES.items()
}
"""The words that a role of linkage goes by. One of two roles (fname) is the first of them; where another column is
that (gname), the second."""
_USUAL = frozenset({
    "id", "no", "number", "key", "code", "ref", "seq", "name", "names", "forename", "forenames", "surname",
    "first", "last", "title", "type", "status", "kind", "class", "category", "group", "level", "grade",
    "role", "date", "start", "end", "from", "to", "year", "month", "day", "time", "created", "updated",
    "town", "city", "county", "country", "state", "region", "area", "ward", "street", "address", "postcode",
    "phone", "email", "sex", "gender", "age", "birth", "death", "language", "religion", "ethnicity",
    "value", "amount", "total", "price", "quantity", "unit", "rate", "cost", "reason", "outcome", "notes",
    "note", "text", "comment", "description", "service", "team", "worker", "person", "client", "customer",
    "provider", "supplier", "product", "order", "invoice", "payment", "company", "department", "school",
    "file", "path", "source", "target", "user", "label", "word", "line", "column",
    # Welsh: number, code, names, date, reference, address, description, status, worker, client, notes, service
    "rhif", "cod", "enw", "enwau", "dyddiad", "cyfeirnod", "cyfeiriad", "disgrifiad", "statws", "gweithiwr",
    "cleient", "nodiadau", "gwasanaeth", "cyfenw", "tref", "sir", "ffon",
})  # fmt: skip
"""Words that columns are called by: a first line of capitalised words without any of these may be somebody."""
_LEAST_ROLES = 2
WHOLE_NAMES = frozenset({
    "name", "fullname", "personname", "enw", "enwllawn", "nomcomplet", "nometprenom", "vollername",
    "nombrecompleto", "nomecompleto", "imieinazwisko", "volledigenaam",
})  # fmt: skip
"""A column of forename and surname in one, where neither has a column of its own."""
SHORT_FORMS = frozenset({"sname"})
"""Short forms of several meanings (surname, second name): read where no other column is called by the role."""
JUST_NAMES = frozenset({"name", "enw"})
"""Beside a column of surnames, a column of the other names."""
OF_A_PERSON = frozenset({"birth_date", "sex", "nhs_number", "upn", "nino"})
"""Roles beside which a name is a person's: restaurants have names and addresses, too."""
NEED: Mapping[str, tuple[str, ...]] = {"house": ("street", "postcode"), "previous_surnames": ("surname",)}
"""Roles that say nothing without one of others."""


def bare_word(name: str) -> str:
    """A column's name in small letters and figures without accents: DateOfBirth and DATE_OF_BIRTH are dateofbirth,
    Prénom is prenom."""
    return "".join(sign for sign in anyascii(name).casefold() if sign.isalnum())


_WHOSE = frozenset({
    "person", "pers", "patient", "pat", "client", "child", "customer", "member", "subject", "voter", "resident",
    "res", "current", "curr", "legal", "registered", "primary", "main", "residential",
})  # fmt: skip
"""Words before a role that say whose it is, where that is the person: PERSON_SURNAME, current_postcode; not
MOTHER_SURNAME."""
_FORM = frozenset({"code", "cd", "desc", "description", "lbl", "txt", "text", "value", "val", "c", "1"})
"""Words behind a role that say in which form, or that it is the first of several: gender_code, forename1,
fname_c1."""
_TURNED = 3
"""Words of a name up to which their order does not matter: nameFirst, number of house."""
_REMARK = re.compile(r"[(\[{].*")
"""What stands in brackets behind a name: DOB (dd/mm/yyyy)."""


def role_words(name: str) -> tuple[str, ...]:
    """A column's name as roles go by it, the likeliest first: as it stands, without a remark, without words that
    say whose it is and in which form, and with its words in another order.

    >>> role_words("gender_code"), role_words("LAST_NAME (legal)")
    (('gendercode', 'gender', 'codegender'), ('lastnamelegal', 'lastname', 'namelast'))
    >>> "addrpostalcode" in role_words("PRIMARY_ADDR_POSTAL_CODE"), "firstname" in role_words("PersonNameFirst")
    (True, True)
    """
    words = [bare_word(word) for word in words_of(_REMARK.sub("", name))]
    first = next((place for place, word in enumerate(words) if word not in _WHOSE), len(words))
    last = next((place for place, word in enumerate(reversed(words)) if word not in _FORM), len(words))
    ends = range(len(words), max(1, len(words) - last) - 1, -1)
    parts = [words[start:end] for start in range(min(first, len(words) - 1) + 1) for end in ends if start < end]
    turned = [order for part in parts if len(part) <= _TURNED for order in permutations(part)]
    plain = ["".join(part) for part in (*parts, *turned)]
    return tuple(dict.fromkeys([bare_word(name), *filter(None, plain)]))


def like_headings(titles: Sequence[str]) -> bool:
    """Whether a first line of words holds some that columns are called by: one of the usual ones, or two that a
    role goes by in any language (some of these are surnames, too)."""
    if any(_USUAL & {bare_word(word) for word in words_of(title)} for title in titles):
        return True
    return sum(any(bare_word(title) in words for words in ROLES.values()) for title in titles) >= _LEAST_ROLES


def with_what_they_need(roles: Mapping[str, str]) -> dict[str, str]:
    """The roles without those that say nothing, since what they need is not there."""
    return {role: column for role, column in roles.items() if role not in NEED or roles.keys() & set(NEED[role])}
