import { type GrpcMetadata, type GrpcStatus, UNAVAILABLE } from '../grpc-js.js'

/** The key under which the status of a refused call tells the code of the error. */
export const CODE_KEY = 'laneway-code'

/** @param like - metadata of the copy of grpc-js that the status is for */
export function statusOf(code: number, details: string, like: GrpcMetadata): GrpcStatus {
  const Metadata = like.constructor as new () => GrpcMetadata
  return { code, details, metadata: new Metadata() }
}

/** The status of a call for which there is no endpoint. */
export function refusedStatus(error: Error, like: GrpcMetadata): GrpcStatus {
  const status = statusOf(UNAVAILABLE, error.message, like)
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && code.startsWith('LANEWAY_')) status.metadata.set(CODE_KEY, code)
  return status
}
