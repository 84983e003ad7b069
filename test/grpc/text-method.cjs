// A method of a gRPC service whose messages are text, so that nothing has to be generated.
const serialize = text => Buffer.from(text)
const deserialize = bytes => bytes.toString()

exports.textMethod = (path, requestStream = false, responseStream = false) => ({
  path,
  requestStream,
  responseStream,
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: serialize,
  responseDeserialize: deserialize,
})
