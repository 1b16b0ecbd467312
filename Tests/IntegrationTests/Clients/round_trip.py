"""Stores, searches, retrieves and reads with dicomweb-client and pydicom, as a program of a site would.

usage: round_trip.py SERVICE-URL FOLDER [STORE-URL]

Files of the folder are stored; says "all well" when all is. With a STORE-URL instances are stored there, and nothing is deleted.
"""
import io
import os
import pathlib
import sys
import urllib.parse

import numpy
import pydicom
from dicomweb_client.api import DICOMwebClient


def main(url, folder, store_url=None):
    token = os.environ.get("DICOMWEB_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else None
    client = DICOMwebClient(url, headers=headers)
    store = DICOMwebClient(store_url, headers=headers) if store_url else client
    sent = [pydicom.dcmread(path) for path in sorted(pathlib.Path(folder).glob("image*.dcm"))]
    assert len(sent) == 5, sent

    # 1. Store.
    response = store.store_instances(datasets=sent)
    stored = {item.ReferencedSOPInstanceUID for item in response.ReferencedSOPSequence}
    assert stored == {dataset.SOPInstanceUID for dataset in sent}, stored
    assert "FailedSOPSequence" not in response

    # 2. Search at each level, and through pages.
    studies = [pydicom.Dataset.from_json(found) for found in client.search_for_studies()]
    assert {study.StudyInstanceUID for study in studies} == {dataset.StudyInstanceUID for dataset in sent}
    by_name = client.search_for_studies(search_filters={"PatientName": "Smith*"}, fields=["StudyDescription"])
    assert len(by_name) == 2, by_name
    series = client.search_for_series(search_filters={"Modality": "CT"})
    assert len(series) == 3, series
    pages = [client.search_for_instances(limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [len(page) for page in pages] == [2, 2, 1], pages
    assert len(client.search_for_instances(get_remaining=True, limit=2)) == 5
    assert client.search_for_studies(search_filters={"PatientID": "nobody"}) == []

    # 3. Retrieve each instance and compare everything.
    for dataset in sent:
        study, one_series, instance = dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID
        for media_types in ((("application/dicom", "*"),), None):
            back = client.retrieve_instance(study, one_series, instance, media_types=media_types)
            assert back == dataset, instance
            assert back.file_meta.TransferSyntaxUID == dataset.file_meta.TransferSyntaxUID
            assert numpy.array_equal(back.pixel_array, dataset.pixel_array), instance
        metadata = pydicom.Dataset.from_json(
            client.retrieve_instance_metadata(study, one_series, instance), bulk_data_uri_handler=lambda *_: b"")
        for element in dataset:
            if element.tag != 0x7FE00010:
                assert metadata[element.tag].value == element.value, element.tag
        count = int(dataset.get("NumberOfFrames", 1))
        frames = client.retrieve_instance_frames(study, one_series, instance, list(range(1, count + 1)))
        assert b"".join(frames) == dataset.PixelData, instance
        uri = client.retrieve_instance_metadata(study, one_series, instance)["7FE00010"]["BulkDataURI"]
        # The client leaves the port out of its Host field, so that the server cannot put it into its URLs.
        uri = url + urllib.parse.urlsplit(uri).path.removeprefix(urllib.parse.urlsplit(url).path)
        assert b"".join(client.retrieve_bulkdata(uri)) == dataset.PixelData, uri

    # 4. Series and studies.
    study = sent[0].StudyInstanceUID
    assert len(client.retrieve_study(study)) == 4
    assert len(list(client.iter_series(study, sent[0].SeriesInstanceUID))) == 2
    assert len(client.retrieve_study_metadata(study)) == 4

    # 5. Delete, and find it gone.
    if store_url:
        print("all well")
        return
    last = sent[-1]
    client.delete_study(last.StudyInstanceUID)
    assert len(client.search_for_studies()) == 1
    client.store_instances(datasets=[last])
    buffer = io.BytesIO()
    client.retrieve_instance(last.StudyInstanceUID, last.SeriesInstanceUID, last.SOPInstanceUID).save_as(buffer)
    assert pydicom.dcmread(io.BytesIO(buffer.getvalue())) == last
    print("all well")


if __name__ == "__main__":
    main(*sys.argv[1:])
