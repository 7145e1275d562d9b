"""Where a page of a query ended, as the text that the next one is asked for with."""

import json

from ironhub.core.errors import InvalidArgument


def place_of_ids(device_id: str, module_id: str) -> str:
    """Return the place behind a device (with the empty module id) or module; "/" cannot occur in either id."""
    return f"{device_id}/{module_id}"


def ids_behind(after: str | None) -> tuple[str, str] | None:
    """Return the ids in a place; None: at the beginning. Raises InvalidArgument."""
    if after is None:
        return None
    device_id, slash, module_id = after.partition("/")
    if not slash:
        raise InvalidArgument("this is no place among devices")
    return device_id, module_id


def place_of_result(job_number: int, device_id: str) -> str:
    """Return the place behind what a job did to a device."""
    return json.dumps([job_number, device_id])


def result_behind(after: str | None) -> tuple[int, str] | None:
    """Return the job's number and the device in a place; None: at the beginning. Raises InvalidArgument."""
    if after is None:
        return None
    try:
        number, device_id = json.loads(after)
    except (ValueError, TypeError):
        number, device_id = None, None
    if type(number) is not int or not isinstance(device_id, str) or not 0 <= number < 2**63:
        raise InvalidArgument("this is no place among the results of jobs")
    return number, device_id
