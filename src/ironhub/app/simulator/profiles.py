"""The plants that are built in."""

from typing import Final

from ironhub.app.simulator.profile import Climate, Failure, Measurement, Network, Profile

PRESS_SHOP: Final = Profile(
    name="press-shop",
    model="HX-200 hydraulic press",
    measurements=(
        Measurement(name="oil_temperature", idle=18.0, running=52.0, noise=0.3, inertia=1800, outside=0.4),
        Measurement(name="pressure", idle=4.0, running=212.0, noise=2.5, inertia=5),
        Measurement(name="vibration", idle=0.1, running=2.4, noise=0.12, inertia=2, digits=2),
        Measurement(name="power", idle=1.2, running=38.0, noise=0.8, inertia=5),
    ),
    failures=(
        Failure(
            name="bearing",
            warning="W204",
            code="F204",
            mean_hours=1400,
            lead=0.15,
            repair_hours=5,
            effects={"vibration": 5.5, "oil_temperature": 6.0},
        ),
        Failure(
            name="seal",
            warning="W311",
            code="F311",
            mean_hours=900,
            lead=0.25,
            repair_hours=2,
            effects={"pressure": -60.0, "power": 4.0},
        ),
        Failure(
            name="cooler",
            warning="W118",
            code="F118",
            mean_hours=2200,
            lead=0.3,
            repair_hours=3,
            effects={"oil_temperature": 24.0},
        ),
    ),
    shifts=("06:00-14:00", "14:00-22:00"),
    pieces_per_hour=420,
    stops_per_hour=0.8,
)

COLD_STORE: Final = Profile(
    name="cold-store",
    model="CR-40 cold room",
    interval=30.0,
    measurements=(
        Measurement(name="room_temperature", idle=-17.0, running=-21.0, noise=0.15, inertia=2400, outside=0.06),
        Measurement(name="compressor_current", idle=0.4, running=14.5, noise=0.3, inertia=10, outside=0.09),
        Measurement(name="suction_pressure", idle=2.8, running=1.4, noise=0.04, inertia=60, digits=2),
    ),
    failures=(
        Failure(
            name="refrigerant",
            warning="W21",
            code="F21",
            mean_hours=5000,
            lead=0.1,
            repair_hours=4,
            effects={"room_temperature": 6.0, "suction_pressure": -0.9, "compressor_current": 4.0},
        ),
        Failure(
            name="door-gasket",
            warning="W07",
            code="F07",
            mean_hours=3000,
            lead=0.3,
            repair_hours=1,
            effects={"room_temperature": 3.5, "compressor_current": 2.5},
        ),
    ),
    load=0.65,
    stops_per_hour=2.0,  # the thermostat
    halls=12,
    climate=Climate(demand=0.25),
)

PUMPS: Final = Profile(
    name="pumps",
    model="WP-7 water pump",
    interval=15.0,
    measurements=(
        Measurement(name="flow", idle=0.0, running=118.0, noise=1.5, inertia=20),
        Measurement(name="discharge_pressure", idle=1.0, running=6.3, noise=0.05, inertia=10, digits=2),
        Measurement(name="bearing_temperature", idle=14.0, running=46.0, noise=0.3, inertia=1500, outside=0.6),
        Measurement(name="vibration", idle=0.05, running=1.7, noise=0.08, inertia=2, digits=2),
    ),
    failures=(
        Failure(
            name="impeller",
            warning="W51",
            code="F51",
            mean_hours=3500,
            lead=0.2,
            repair_hours=6,
            effects={"flow": -32.0, "vibration": 2.2, "discharge_pressure": -1.1},
        ),
        Failure(
            name="bearing",
            warning="W52",
            code="F52",
            mean_hours=2600,
            lead=0.12,
            repair_hours=4,
            effects={"vibration": 4.8, "bearing_temperature": 31.0},
        ),
    ),
    load=0.7,
    stops_per_hour=0.05,
    halls=40,
    # Wells and reservoirs far apart, on mobile networks.
    network=Network(drops_per_day=6, drop_seconds=90, outages_per_day=0.15, outage_minutes=25, buffer=400),
)

BUILT_IN: Final = {profile.name: profile for profile in (PRESS_SHOP, COLD_STORE, PUMPS)}
"""By name; the first is what is simulated when nobody says."""
