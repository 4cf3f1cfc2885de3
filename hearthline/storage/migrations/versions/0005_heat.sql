-- Heat balance: signatures, imbalance, the monthly report, balance advice.
SELECT 1;
