const METADATA = 'g=meta.k8s.io;v=v1'

/** A list of objects without spec and status, as far as the server can leave them out. */
export const METADATA_LIST = `application/json;as=PartialObjectMetadataList;${METADATA},application/json`

/** The same for the events of a watch. */
export const METADATA_EVENTS = `application/json;as=PartialObjectMetadata;${METADATA},application/json`

/** Whole objects. */
export const WHOLE = 'application/json'
