"""The parts of the imaging service that a desk is made of, by one name each."""

from greenchannel.service.imaging.archive import ImageArchive
from greenchannel.service.imaging.dicom_node import DicomNode
from greenchannel.service.imaging.reading_desk import ReadingDesk
from greenchannel.service.imaging.study_intake import StudyIntake

__all__ = ["DicomNode", "ImageArchive", "ReadingDesk", "StudyIntake"]
