/** The page's texts about pickles. */
export const pickleStrings = {
  "pickle.verdict": "Verdict",
  "pickle.unknownCount": "Imports we do not know ({0})",
  "pickle.about.dangerous":
    "Loading it would import or call what can run commands, load other code or reach anything by its name.",
  "pickle.about.code":
    "Python byte code is part of the file: it runs when the file is loaded or when what it holds is called.",
  "pickle.about.unknown":
    "Loading it imports names that are not on the list of names that only build data. What their code does is not known here.",
  "pickle.about.unresolvable":
    "It asks the program that loads it for objects; what those are cannot be told from the file.",
  "pickle.about.malformed": "It is damaged or not what it seems. What was found before the damage is listed.",
  "pickle.about.opaque": "Parts of it cannot be looked into.",
  "pickle.about.allowed":
    "Everything that it imports is on a list of names that only build data. That says nothing about the model itself.",
  "pickle.read": "{0} pickles were followed; nothing was executed.",
  "pickle.readOne": "1 pickle was followed; nothing was executed.",
  "pickle.readNone": "No pickle could be followed; nothing was executed.",
  "pickle.files": "Files",
  "pickle.imports": "Imports",
  "pickle.noImports": "Nothing is imported.",
  "pickle.class.dangerous": "Dangerous ({0})",
  "pickle.class.code": "Code ({0})",
  "pickle.class.unknown": "Not known ({0})",
  "pickle.class.allowed": "On the allow list ({0})",
  "pickle.calls": "Calls ({0})",
  "pickle.findings": "Findings ({0})",
  "pickle.more": "{0} more; modelbench inspect shows all of them.",
  "pickle.where": "byte {0}",
  "pickle.whereMember": "byte {0} of {1}",
  "pickle.search": "Search imports and findings",
  "pickle.shown": "{0} of {1}",
  "pickle.nothing": "Nothing fits.",
  "pickle.show": "Show What It Does",
} as const;
