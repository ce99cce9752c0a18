"""The languages."""

from ttsworker.text.european.language import Language


def _same(**names: str) -> dict[str, tuple[str, str]]:
    return {unit: (name, name) for unit, name in names.items()}


def _plural(**names: str) -> dict[str, tuple[str, str]]:
    """Return pairs of names whose plural has an s on the first word."""
    pairs = {}
    for unit, name in names.items():
        first, *rest = name.split()
        pairs[unit] = (name, " ".join([f"{first}s", *rest]))
    return pairs


GERMAN = Language(
    minus="minus", comma="Komma", dot="Punkt", to="bis", hundredths="", cents="Cent",
    clock="{hour} Uhr {minute}", full_hour="{hour} Uhr",
    date="{day}. {month} {year}", separate_decimals=True,
    months="Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    units=_same(m="Meter", km="Kilometer", cm="Zentimeter", mm="Millimeter", kg="Kilogramm", mg="Milligramm",
                ml="Milliliter", GB="Gigabyte", MB="Megabyte", TB="Terabyte", kWh="Kilowattstunden", kW="Kilowatt")
    | {"km/h": ("Kilometer pro Stunde",) * 2, "m/s": ("Meter pro Sekunde",) * 2, "m²": ("Quadratmeter",) * 2,
       "km²": ("Quadratkilometer",) * 2, "m³": ("Kubikmeter",) * 2, "°C": ("Grad Celsius",) * 2,
       "°F": ("Grad Fahrenheit",) * 2, "‰": ("Promille",) * 2, "€": ("Euro",) * 2, "$": ("Dollar",) * 2,
       "£": ("Pfund",) * 2, "Mio.": ("Million", "Millionen"), "Mrd.": ("Milliarde", "Milliarden"),
       "Mio. €": ("Million Euro", "Millionen Euro"), "Mrd. €": ("Milliarde Euro", "Milliarden Euro")},
    shortened={"z. B.": "zum Beispiel", "z.B.": "zum Beispiel", "d. h.": "das heißt", "d.h.": "das heißt",
               "u. a.": "unter anderem", "u.a.": "unter anderem", "bzw.": "beziehungsweise", "ca.": "circa",
               "ggf.": "gegebenenfalls", "inkl.": "inklusive", "evtl.": "eventuell",
               "Dr.": "Doktor", "Jh.": "Jahrhundert"},
    before_number={"Nr.": "Nummer", "S.": "Seite", "Bd.": "Band", "Kap.": "Kapitel", "Abb.": "Abbildung",
                   "Abs.": "Absatz", "Art.": "Artikel", "Tel.": "Telefon"},
)  # fmt: skip

FRENCH = Language(
    minus="moins", comma="virgule", dot="point", to="à", hundredths="", cents="centimes",
    clock="{hour} heures {minute}",
    full_hour="{hour} heures", date="{day} {month} {year}", first_day="1er",
    months="janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    units=_plural(m="mètre", km="kilomètre", cm="centimètre", mm="millimètre", kg="kilogramme", mg="milligramme",
                  ml="millilitre", Go="gigaoctet", Mo="mégaoctet", To="téraoctet", kWh="kilowattheure", kW="kilowatt")
    | {"km/h": ("kilomètre par heure", "kilomètres par heure"), "m/s": ("mètre par seconde", "mètres par seconde"),
       "m²": ("mètre carré", "mètres carrés"), "km²": ("kilomètre carré", "kilomètres carrés"),
       "m³": ("mètre cube", "mètres cubes"), "°C": ("degré Celsius", "degrés Celsius"), "‰": ("pour mille",) * 2,
       "°F": ("degré Fahrenheit", "degrés Fahrenheit"), "€": ("euro", "euros"), "$": ("dollar", "dollars"),
       "£": ("livre", "livres"), "M€": ("million d'euros", "millions d'euros")},
    shortened={"M.": "Monsieur", "Mme": "Madame", "Mlle": "Mademoiselle", "MM.": "Messieurs", "p. ex.": "par exemple",
               "c.-à-d.": "c'est-à-dire", "env.": "environ", "Dr": "Docteur"},
    before_number={"n°": "numéro", "N°": "numéro", "p.": "page", "chap.": "chapitre", "art.": "article",
                   "fig.": "figure",
                   "vol.": "volume", "tél.": "téléphone", "Tél.": "Téléphone"},
)  # fmt: skip

SPANISH = Language(
    minus="menos", comma="coma", dot="punto", to="a", hundredths="con", cents="céntimos",
    clock="{hour} y {minute}", full_hour="{hour} horas",
    date="{day} de {month} de {year}",
    months="enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    units=_plural(m="metro", km="kilómetro", cm="centímetro", mm="milímetro", kg="kilogramo", mg="miligramo",
                  ml="mililitro", GB="gigabyte", MB="megabyte", TB="terabyte", kWh="kilovatio hora", kW="kilovatio")
    | {"km/h": ("kilómetro por hora", "kilómetros por hora"), "m/s": ("metro por segundo", "metros por segundo"),
       "m²": ("metro cuadrado", "metros cuadrados"), "km²": ("kilómetro cuadrado", "kilómetros cuadrados"),
       "m³": ("metro cúbico", "metros cúbicos"), "°C": ("grado Celsius", "grados Celsius"), "‰": ("por mil",) * 2,
       "°F": ("grado Fahrenheit", "grados Fahrenheit"), "€": ("euro", "euros"), "$": ("dólar", "dólares"),
       "£": ("libra", "libras")},
    shortened={"Sr.": "señor", "Sra.": "señora", "Srta.": "señorita", "Dr.": "doctor", "Dra.": "doctora",
               "p. ej.": "por ejemplo", "EE. UU.": "Estados Unidos", "EE.UU.": "Estados Unidos", "Ud.": "usted",
               "Uds.": "ustedes", "aprox.": "aproximadamente"},
    before_number={"n.º": "número", "nº": "número", "núm.": "número", "N.º": "número", "pág.": "página", "p.": "página",
                   "cap.": "capítulo", "art.": "artículo", "fig.": "figura", "vol.": "volumen", "tel.": "teléfono"},
)  # fmt: skip

ITALIAN = Language(
    minus="meno", comma="virgola", dot="punto", to="a", hundredths="e", cents="centesimi",
    clock="{hour} e {minute}", full_hour="{hour} in punto",
    date="{day} {month} {year}", first_day="primo",
    months="gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    units={"m": ("metro", "metri"), "km": ("chilometro", "chilometri"), "cm": ("centimetro", "centimetri"),
           "mm": ("millimetro", "millimetri"),
           "kg": ("chilogrammo", "chilogrammi"), "mg": ("milligrammo", "milligrammi"),
           "ml": ("millilitro", "millilitri"),
           "GB": ("gigabyte",) * 2, "MB": ("megabyte",) * 2, "TB": ("terabyte",) * 2, "kWh": ("chilowattora",) * 2,
           "kW": ("chilowatt",) * 2, "km/h": ("chilometro all'ora", "chilometri all'ora"),
           "m/s": ("metro al secondo", "metri al secondo"), "m²": ("metro quadrato", "metri quadrati"),
           "km²": ("chilometro quadrato", "chilometri quadrati"), "m³": ("metro cubo", "metri cubi"),
           "°C": ("grado Celsius", "gradi Celsius"), "°F": ("grado Fahrenheit", "gradi Fahrenheit"),
           "‰": ("per mille",) * 2, "€": ("euro",) * 2, "$": ("dollaro", "dollari"), "£": ("sterlina", "sterline")},
    shortened={"Sig.": "signor", "Sig.ra": "signora", "Dott.": "dottor", "Dott.ssa": "dottoressa", "Dr.": "dottor",
               "ad es.": "ad esempio", "p. es.": "per esempio", "ca.": "circa"},
    before_number={"n.": "numero", "n°": "numero", "N.": "numero", "pag.": "pagina", "p.": "pagina", "cap.": "capitolo",
                   "art.": "articolo", "fig.": "figura", "vol.": "volume", "tel.": "telefono"},
)  # fmt: skip

PORTUGUESE = Language(
    minus="menos", comma="vírgula", dot="ponto", to="a", hundredths="e", cents="centavos",
    clock="{hour} horas e {minute}",
    full_hour="{hour} horas", date="{day} de {month} de {year}", first_day="primeiro",
    months="janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    units=_plural(m="metro", km="quilômetro", cm="centímetro", mm="milímetro", kg="quilograma", mg="miligrama",
                  ml="mililitro", GB="gigabyte", MB="megabyte", TB="terabyte", kWh="quilowatt hora", kW="quilowatt")
    | {"km/h": ("quilômetro por hora", "quilômetros por hora"), "m/s": ("metro por segundo", "metros por segundo"),
       "m²": ("metro quadrado", "metros quadrados"), "km²": ("quilômetro quadrado", "quilômetros quadrados"),
       "m³": ("metro cúbico", "metros cúbicos"), "°C": ("grau Celsius", "graus Celsius"), "‰": ("por mil",) * 2,
       "°F": ("grau Fahrenheit", "graus Fahrenheit"), "€": ("euro", "euros"), "$": ("dólar", "dólares"),
       "R$": ("real", "reais"), "£": ("libra", "libras")},
    shortened={"Sr.": "senhor", "Sra.": "senhora", "Dr.": "doutor", "Dra.": "doutora", "p. ex.": "por exemplo",
               "aprox.": "aproximadamente"},
    before_number={"n.º": "número", "nº": "número", "n°": "número", "pág.": "página", "p.": "página",
                   "cap.": "capítulo",
                   "art.": "artigo", "fig.": "figura", "vol.": "volume", "tel.": "telefone"},
)  # fmt: skip
