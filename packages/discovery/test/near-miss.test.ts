import type { Warn } from '@laneway/core'
import t from 'tap'
import { endpoint, oneService } from './one-service.js'

const CASES: [metadata: Record<string, string>, meant: string | undefined][] = [
  [{ 'alicloud.service.tags': 'gray' }, 'alicloud.service.tag'],
  [{ 'Alicloud.Service.Tag': 'gray' }, 'alicloud.service.tag'],
  [{ 'alicloud-service-tag': 'gray' }, 'alicloud.service.tag'],
  [{ __micro_service_env__: '[{"tag":"gray"}]' }, '__micro.service.env__'],
  [{ 'opensergo.io/canery-gray': 'gray' }, 'opensergo.io/canary-<tag>'],
  [{ 'opensergo/canary-gray': 'gray' }, undefined],
  [{ 'alicloud.service.tag': '' }, undefined],
  [{ 'opensergo.io/canary': '' }, undefined],
  [{ version: '1.2.3', 'preserved.register.source': 'SPRING_CLOUD', side: 'provider' }, undefined],
]

for (const [metadata, meant] of CASES) {
  t.test(
    `${Object.keys(metadata).join()} is ${meant === undefined ? 'nothing to warn of' : 'probably a slip'}`,
    async t => {
      const warnings: Parameters<Warn>[] = []
      const warn: Warn = (...warning) => void warnings.push(warning)
      const lonely = () => endpoint({ metadata })
      const { update } = oneService(t, [endpoint(), lonely(), lonely()], { warn })
      update([endpoint(), lonely()])
      if (meant === undefined) t.strictSame(warnings, [])
      else {
        t.equal(warnings.length, 1, 'once for a service')
        const [key] = Object.keys(metadata)
        t.match(warnings[0]?.[0], `of sc-B counts as base: its metadata has the key "${key}"`)
        t.match(warnings[0]?.[0], `did you mean "${meant}"?`)
        t.strictSame(warnings[0]?.[1], { kind: 'metadata-key', key, meant })
      }
    },
  )
}

t.test('an instance that has a lane all the same is nothing to warn of', async t => {
  const warnings: string[] = []
  oneService(t, [endpoint({ tags: ['gray'], metadata: { 'alicloud.service.tags': 'gray' } })], {
    warn: message => warnings.push(message),
  })
  t.strictSame(warnings, [])
})
