"""The weather of a town as a pure function of time: any instant can be asked, in any order.

A scenario says it in one of three ways: ``level`` points drawn by hand (``levels``), the
``preset`` of a city with a long heating season (``winter`` draws days, cold snaps, wind and clouds
around the city's climate in ``presets``), or a ``file`` of measured hours (``epw``, ``measured``).
``Climate`` hides which; ``problems`` says what is wrong with a specification before one is made.
"""

from simulators.weather.climate import Climate
from simulators.weather.instant import Weather
from simulators.weather.specification import problems, resolve

__all__ = ["Climate", "Weather", "problems", "resolve"]
