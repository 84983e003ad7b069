import { type GrpcMetadata, type GrpcStatus, UNAVAILABLE } from '../grpc-js.js'

/** The metadata key that has the error code in the status of a refused call. */
export const CODE_KEY = 'laneway-code'

/** @param like - metadata of the same copy of grpc-js */
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
