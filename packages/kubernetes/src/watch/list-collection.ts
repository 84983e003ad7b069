import type { KubeObject } from '../objects/kube-object.js'
import { METADATA_LIST, WHOLE } from './accept.js'
import type { ApiClient } from './api-client.js'
import { isExpired } from './api-error.js'

/** One list. */
export interface ListRequest {
  readonly client: ApiClient
  readonly path: string
  readonly metadataOnly: boolean
  readonly labelSelector: string | undefined
  /**
   * How old the answer may be: `0` is whatever the watch cache has, a version is that or newer, and the empty text is the
   * state of now, which older servers read from etcd.
   */
  readonly version: string
  readonly signal: AbortSignal
  readonly onItem: (object: KubeObject) => void
  /** What came so far does not count: the list begins anew. */
  readonly onRestart: () => void
}

/** As in client-go. A list with a version is not limited: older servers would read it from etcd. */
const PAGE_SIZE = 500

/**
 * Lists a collection. @returns its version
 * @throws as `ApiClient.get`
 */
export async function listCollection(request: ListRequest): Promise<string | undefined> {
  const { client, path, metadataOnly, labelSelector, version, signal } = request
  let next = ''
  let limit = version === '' ? PAGE_SIZE : 0
  for (;;) {
    try {
      const page = (await client.list(
        {
          path,
          query: {
            ...(labelSelector !== undefined && { labelSelector }),
            ...(version !== '' && { resourceVersion: version }),
            ...(limit > 0 && { limit: String(limit) }),
            ...(next !== '' && { continue: next }),
          },
          accept: metadataOnly ? METADATA_LIST : WHOLE,
          signal,
        },
        item => request.onItem(item as KubeObject),
      )) as KubeObject
      next = page.metadata?.continue ?? ''
      if (next === '') return page.metadata?.resourceVersion
    } catch (error) {
      if (next === '' || !isExpired(error)) throw error
      // The list took longer than the server's memory: once more, in one piece.
      request.onRestart()
      next = ''
      limit = 0
    }
  }
}
