import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
// @ts-expect-error a script without types
import { findProgram } from '../servers/debian.mjs'
// @ts-expect-error a script without types
import { findCrds } from '../servers/kubernetes/crds.mjs'
// @ts-expect-error a script without types
import { installControlPlane } from '../servers/kubernetes/install.mjs'
// @ts-expect-error a script without types
import { startControlPlane } from '../servers/kubernetes/start.mjs'
import { documentsOf, FOLDERS, K8S } from './manifests.js'

const { files = [], problem }: { files?: string[]; problem?: string } = findCrds()
const missing: string | undefined =
  problem ?? findProgram('kubectl', 'kubernetes-client', 'help') ?? installControlPlane()

function kubectl(args: string[], input = ''): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('kubectl', args, { input, encoding: 'utf8' })
}

t.test('kubectl and a real API server', { skip: missing ?? false }, async t => {
  const plane = await startControlPlane()
  t.teardown(() => plane.stop())
  process.env['KUBECONFIG'] = plane.kubeconfig
  for (const file of files) t.equal(kubectl(['create', '-f', file]).stderr, '', file)
  const waited = kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all'])
  t.equal(waited.status, 0, waited.stderr)
  for (const namespace of ['laneway-demo', 'kruise-rollout']) kubectl(['create', 'namespace', namespace])

  for (const folder of FOLDERS) {
    const count = documentsOf(folder).length
    for (const side of ['client', 'server']) {
      t.test(`${folder}: dry run of the ${side}, unknown fields forbidden`, async t => {
        const args = ['apply', `--dry-run=${side}`, '--validate=strict', '-f', join(K8S, folder)]
        const { status, stdout, stderr } = kubectl(args)
        t.equal(status, 0, stderr)
        t.notMatch(stderr, 'unknown field')
        t.equal(stdout.trim().split('\n').length, count)
        t.equal(stdout.match(side === 'client' ? /\(dry run\)/g : /\(server dry run\)/g)?.length, count)
      })
    }
  }

  t.test('the strict dry run does refuse a field that is not there', async t => {
    const { object } = documentsOf('mse-ingress').find(({ object }) => object.kind === 'Rollout') ?? { object: {} }
    object.spec.strategy.canary.stepz = []
    const { status, stderr } = kubectl(
      ['apply', '--dry-run=server', '--validate=strict', '-f', '-'],
      JSON.stringify(object),
    )
    t.not(status, 0)
    t.match(stderr, 'unknown field "spec.strategy.canary.stepz"')
  })
})
