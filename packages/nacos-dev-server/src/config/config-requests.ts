import type { Dialect } from '../dialect.js'
import { type Answer, failure, success } from '../requests/answer.js'
import type { RequestBody, RequestHandler } from '../requests/request.js'
import type { Session } from '../session/session.js'
import type { ConfigPushes } from './config-pushes.js'
import type { ConfigName, ConfigStore } from './config-store.js'

interface ConfigParts {
  readonly dialect: Dialect
  readonly store: ConfigStore
  readonly pushes: ConfigPushes
}

/** The config requests that the server answers, by type. */
export function createConfigRequests({ dialect, store, pushes }: ConfigParts): Record<string, RequestHandler> {
  const query = (body: RequestBody, session: Session): Answer => {
    const config = store.get(configNameOf(body), tagOf(session))
    if (config === undefined) {
      return failure('ConfigQueryResponse', 300, 'config data not exist', { fields: { lastModified: 0, beta: false } })
    }
    const { content, contentType, md5, lastModified } = config
    return success('ConfigQueryResponse', {
      content,
      encryptedDataKey: '',
      contentType,
      md5,
      lastModified,
      beta: false,
    })
  }

  const publish = (body: RequestBody): Answer => {
    const name = configNameOf(body)
    const { casMd5 } = body
    if (dialect.comparesMd5 && typeof casMd5 === 'string' && casMd5 !== '' && casMd5 !== (store.get(name)?.md5 ?? '')) {
      return failure('ConfigPublishResponse', 500, 'Cas publish fail, server md5 may have changed.')
    }
    const type = (body['additionMap'] as RequestBody | undefined)?.['type']
    if (store.set(name, textOf(body['content']), typeof type === 'string' ? type : 'text')) pushes.schedule(name)
    return success('ConfigPublishResponse')
  }

  const remove = (body: RequestBody): Answer => {
    const name = configNameOf(body)
    if (store.remove(name)) pushes.schedule(name)
    return success('ConfigRemoveResponse')
  }

  const listen = (body: RequestBody, session: Session): Answer => {
    const list: readonly unknown[] = Array.isArray(body['configListenContexts']) ? body['configListenContexts'] : []
    const contexts = list.filter((entry): entry is RequestBody => typeof entry === 'object' && entry !== null)
    const changedConfigs: ConfigName[] = []
    for (const context of contexts) {
      const name = configNameOf(context)
      if (body['listen'] !== true) {
        store.unlisten(session.id, name)
        continue
      }
      store.listen(session.id, name)
      if ((store.get(name, tagOf(session))?.md5 ?? '') !== textOf(context['md5'])) changedConfigs.push(name)
    }
    return success('ConfigChangeBatchListenResponse', { changedConfigs })
  }

  return {
    ConfigQueryRequest: {
      answer: 'ConfigQueryResponse',
      action: 'read',
      refusedFields: { lastModified: 0, beta: false },
      handle: query,
    },
    ConfigPublishRequest: { answer: 'ConfigPublishResponse', action: 'write', handle: publish },
    ConfigRemoveRequest: { answer: 'ConfigRemoveResponse', action: 'write', handle: remove },
    ConfigBatchListenRequest: {
      answer: 'ConfigChangeBatchListenResponse',
      action: 'read',
      refusedFields: { changedConfigs: [] },
      handle: listen,
    },
  }
}

/** By which Nacos chooses among gray contents. */
function tagOf(session: Session): string {
  return textOf(session.setup?.labels['app_Vipserver-Tag'])
}

function configNameOf(body: RequestBody): ConfigName {
  return { group: textOf(body['group']), dataId: textOf(body['dataId']), tenant: textOf(body['tenant']) }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
