-- Districts are read a few at a time: what is asked for each time must not cost a look at a city.
CREATE INDEX device_binding_since ON device_binding (lower(valid));
CREATE INDEX device_weather ON device (id) WHERE kind = 'weather';
