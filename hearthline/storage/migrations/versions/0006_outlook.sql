-- Estimates of dwellings without a sensor, forecasts, best places for sensors.
SELECT 1;
