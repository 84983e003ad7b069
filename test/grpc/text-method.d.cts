export interface TextMethod {
  path: string
  requestStream: boolean
  responseStream: boolean
  requestSerialize(text: string): Buffer
  requestDeserialize(bytes: Buffer): string
  responseSerialize(text: string): Buffer
  responseDeserialize(bytes: Buffer): string
}

/**
 * A method of a gRPC service whose messages are text, so that nothing has to be generated.
 *
 * @param path - `/package.Service/Method`
 * @param requestStream - whether the client sends a stream. @default false
 * @param responseStream - whether the server sends a stream. @default false
 */
export function textMethod(path: string, requestStream?: boolean, responseStream?: boolean): TextMethod
