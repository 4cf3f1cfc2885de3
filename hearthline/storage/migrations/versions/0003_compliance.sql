-- Compliance: maintenance windows, the chain of verdicts, why heat is not owed.
SELECT 1;
