"""A winter analysed in memory: the same walk as the live cycle, with the desk in a list.

Block by block of event time, each with the windows that the live cycle would look at; what the
cycle keeps in tables (open episodes, past daily means, open incidents) is kept here in memory.
Nothing sees the future: a block is judged from what was measured up to its end, and an instant
within it from what was measured up to that instant. Rows count from when they were measured, as
they do in a backlog; that some of them were late is not played.
"""

from analytics.offline.analysis import Analysed, Progress, analyse
from analytics.offline.desk import Incident, MemoryDesk, causes_of
from analytics.offline.diary import DayOf

__all__ = ["Analysed", "DayOf", "Incident", "MemoryDesk", "Progress", "analyse", "causes_of"]
