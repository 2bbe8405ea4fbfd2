"""What columns of people are called: English, Welsh, and the languages of systems that councils take data from.

Each word stands without blanks, marks and accents (`bare_word`): DateOfBirth, DATE_OF_BIRTH and dyddiad geni.
Welsh ones as GOV.UK's and HMRC's Welsh forms have them (electoral registration, sole trader identification); the
others as forms of the registry offices of the countries have them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anyascii import anyascii

from casebridge.migrate.profiling.keys import words_of

_ROLES = {
    "forename": """
        forename forenames firstname firstnames givenname givennames fname first given christianname pername1
        enwcyntaf enwaucyntaf enwbedydd enwcynta
        vorname vornamen rufname prenom prenoms voornaam voornamen roepnaam nombre nombres primernombre
        nome nomeproprio
        imie imiona prenume fornavn fornamn etunimi
    """,
    "middle_name": """
        middlename middlenames middle middleinitial middleinitials mi mname midlname secondname
        secondforename otherforenames forename2 firstname2 givenname2
        enwcanol enwaucanol tussennaam segundonombre drugieimie
    """,
    "surname": """
        surname surnames lastname lastnames familyname familynames lname last family pername2
        cyfenw enwolaf enwteulu
        nachname familienname zuname nom nomdefamille nomusuel achternaam familienaam geslachtsnaam
        apellido apellidos
        primerapellido cognome sobrenome apelido nazwisko numedefamilie efternavn etternavn efternamn sukunimi
    """,
    "previous_surnames": """
        previoussurname previoussurnames formersurname formername maidenname birthsurname previouslastname
        cyfenwblaenorol enwblaenorol enwmorwynol
        geburtsname nomdenaissance nomdejeunefille meisjesnaam nazwiskorodowe
    """,
    "birth_date": """
        dob birthdate dateofbirth birthday born birthdt datebirth weekofbirth wob
        dyddiadgeni dyddiadgenedigaeth
        geburtsdatum gebdatum gebdat geburtstag datedenaissance datenaissance geboortedatum gebdat
        fechanacimiento
        fechadenacimiento fecnac datadinascita datanascita datadenascimento datanascimento dataurodzenia
        datanasterii
        fodselsdato fodelsedatum syntymaaika
    """,
    "death_date": """
        dod deathdate dateofdeath
        dyddiadmarw dyddiadmarwolaeth
        sterbedatum todesdatum datededeces overlijdensdatum fechadefuncion fechadedefuncion datadimorte datazgonu
    """,
    "sex": """
        sex gender gndr
        rhyw rhywedd
        geschlecht sexe geslacht sexo genero sesso genere plec kjonn kon sukupuoli
    """,
    "house": """
        house houseno housenumber housename housenum streetnumber streetno buildingnumber paon
        rhifty enwty
        hausnummer hausnr huisnummer huisnr numeroderue numerocivico numerdomu nrdomu
    """,
    "street": """
        street address address1 addressline1 line1 addr1 streetaddress streetname road fulladdress homeaddress
        stryd cyfeiriad cyfeiriad1 llinell1 heol
        strasse adresse adresse1 anschrift rue straat straatnaam adres calle direccion domicilio via indirizzo
        ulica endereco morada strada adresa
    """,
    "postcode": """
        postcode postalcode pcode zip zipcode
        codpost
        plz postleitzahl codepostal codigopostal cap codicepostale kodpocztowy codpostal postnummer postinumero
    """,
    "phone": """
        phone telephone mobile phonenumber telno phoneno telephonenumber mobileno mobilenumber
        mobilephone homephone phonehome phonecell fullphonenumber
        telephoneno tel
        ffon rhifffon ffonsymudol rhifffonsymudol
        telefon telefonnummer handy mobil portable telefoon telefoonnummer telefono movil cellulare
        telefone telemovel
    """,
    "email": """
        email emailaddress mail
        ebost cyfeiriadebost
        emailadresse courriel adressemail emailadres correo correoelectronico postaelettronica
    """,
    "nhs_number": "nhs nhsno nhsnumber nhsid rhifgig rhifynhs",
    "upn": "upn",
    "nino": "nino ninumber nationalinsurancenumber rhifyswiriantgwladol rhifyg",
}
ROLES: Mapping[str, frozenset[str]] = {role: frozenset(words.split()) for role, words in _ROLES.items()}
"""The words that a role of linkage goes by."""
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
    "res", "current", "curr", "legal", "registered",
})  # fmt: skip
"""Words before a role that say whose it is, where that is the person: PERSON_SURNAME, current_postcode; not
MOTHER_SURNAME."""
_FORM = frozenset({"code", "cd", "desc", "description", "lbl", "txt", "text", "value", "val", "c", "1"})
"""Words behind a role that say in which form, or that it is the first of several: gender_code, forename1,
fname_c1."""


def role_words(name: str) -> tuple[str, str]:
    """A column's name as roles go by it: as it stands, and without words that say whose it is and in which form.

    >>> role_words("PERSON_DATE_OF_BIRTH"), role_words("gender_code"), role_words("mother_surname")
    (('persondateofbirth', 'dateofbirth'), ('gendercode', 'gender'), ('mothersurname', 'mothersurname'))
    """
    words = [bare_word(word) for word in words_of(name)]
    while len(words) > 1 and words[0] in _WHOSE:
        words = words[1:]
    while len(words) > 1 and words[-1] in _FORM:
        words = words[:-1]
    return bare_word(name), "".join(words)


def like_headings(titles: Sequence[str]) -> bool:
    """Whether a first line of words holds some that columns are called by: one of the usual ones, or two that a
    role goes by in any language (some of these are surnames, too)."""
    if any(_USUAL & {bare_word(word) for word in words_of(title)} for title in titles):
        return True
    return sum(any(bare_word(title) in words for words in ROLES.values()) for title in titles) >= _LEAST_ROLES


def with_what_they_need(roles: Mapping[str, str]) -> dict[str, str]:
    """The roles without those that say nothing, since what they need is not there."""
    return {role: column for role, column in roles.items() if role not in NEED or roles.keys() & set(NEED[role])}
