-- Sensor trust: grades with their numbers, certified readings on site.
SELECT 1;
