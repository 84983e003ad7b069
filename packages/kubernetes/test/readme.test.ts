import { readmeExample } from '@laneway/testkit'
import t from 'tap'
import { Cluster, writeFile } from './cluster.js'

t.test('the first example of the README runs as it stands', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('u1')
  cluster.pod('u2', 'gray')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1', '10.0.0.2': 'u2' } })
  const KUBECONFIG = writeFile(t, 'config', cluster.api.kubeconfig('shop'))
  const { code, stdout, stderr } = await readmeExample('packages/kubernetes', 0, { KUBECONFIG })
  t.equal(code, 0, stderr)
  t.equal(stdout, 'lane 10.0.0.2:80\n')
})
