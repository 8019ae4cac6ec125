"""Whether records may be believed: what must hold in one record, and among the records of one study.

Each module has one rule. Its function yields a sentence per fault and yields nothing for records that this
suite made; `publishing.rules` names the rules and gives the verdicts.
"""
