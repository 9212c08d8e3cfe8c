"""Whether a house with servers of its own runs here: then the checks look at that one."""

from lectern.doctor.finding import Finding, good
from lectern.running_house import ADDRESSES, find
from lectern.settings import Settings, variable


def running(settings: Settings) -> Finding:
    """Which one, and whether its stores are those that are looked at."""
    house = find(settings.lectern.data_folder)
    if house is None:
        return good(f"none runs on {settings.lectern.data_folder.resolve()}")
    own = [one for one in ADDRESSES if variable("storage", one) in house.variables]
    joined = all(settings.sources[f"storage.{one}"].endswith(str(house.folder)) for one in own)
    found = f"process {house.pid} runs on {house.folder}"
    return good(found if joined else f"{found}, but other stores are set and looked at")
