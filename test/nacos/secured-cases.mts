import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createNacosClient } from '@laneway/nacos'
import { type Case, freshPort, unique, until, watch } from './harness.mjs'

/** Against a server that wants tokens, which live 5 s. */
export const authCases: Case[] = [
  {
    name: 'auth: login, and a token that expires is renewed in time',
    slow: true,
    run: async context => {
      const made = context.client()
      const service = unique('auth')
      const seen = watch(made, service)
      await until('the first list', () => seen.infos.length > 0)
      await new Promise(resolve => setTimeout(resolve, 12_000))
      const port = freshPort()
      await made.naming.register({ service }, { ip: '10.1.0.1', port })
      await until('the instance', () => seen.ports().includes(port))
      await made.config.publish(unique('auth'), 'x')
      assert.deepEqual(seen.lost, [])
    },
  },
  {
    name: 'auth: a wrong password, and none, are told as such',
    run: async context => {
      const wrong = context.client({ password: 'wrong' })
      await assert.rejects(wrong.naming.query({ service: 'x' }), {
        code: 'LANEWAY_AUTH',
        message: /login of "nacos" failed/,
      })
      const none = createNacosClient({ servers: context.server.http, warn: () => {} })
      context.end(() => none.close())
      await assert.rejects(none.naming.query({ service: 'x' }), { code: 'LANEWAY_AUTH' })
      await assert.rejects(none.naming.register({ service: 'x' }, { ip: '10.1.0.1', port: 1 }), {
        code: 'LANEWAY_AUTH',
      })
      await assert.rejects(none.config.publish('x', 'x'), { code: 'LANEWAY_AUTH' })
      await assert.rejects(none.config.get('x'), { code: 'LANEWAY_AUTH' })
    },
  },
  {
    name: 'auth: after a token has expired, pushes go on and requests are refused',
    slow: true,
    run: async context => {
      const { http, username, password } = context.server
      const path = context.server.kind.startsWith('nacos2') ? '/v1/auth/users/login' : '/v3/auth/user/login'
      const form = new URLSearchParams({ username: username!, password: password! })
      const answer = await fetch(`http://${http}/nacos${path}`, { method: 'POST', body: form })
      const { accessToken } = (await answer.json()) as { accessToken: string }
      // By the hook, so that nobody renews it.
      const made = createNacosClient({ servers: http, warn: () => {}, headers: () => ({ accessToken }) })
      context.end(() => made.close())
      const service = unique('expired')
      const seen = watch(made, service)
      await until('the first list', () => seen.infos.length > 0)
      await until(
        'the refusal',
        async () =>
          await made.naming.query({ service }).then(
            () => false,
            error => error.code === 'LANEWAY_AUTH',
          ),
        40_000,
      )
      const port = freshPort()
      await context.client().naming.register({ service }, { ip: '10.1.0.1', port })
      await until('a push', () => seen.ports().includes(port))
    },
  },
]

/** Against a server whose gRPC port wants client certificates. */
export const tlsCases: Case[] = [
  {
    name: 'mutual TLS: with CA and certificate everything works, without either nothing',
    run: async context => {
      const files = context.server.tls!
      const ca = readFileSync(files.ca)
      const pair = { cert: readFileSync(files.clientCert), key: readFileSync(files.clientKey) }
      const made = context.client({ tls: { ca, ...pair } })
      const service = unique('tls')
      const seen = watch(made, service)
      const port = freshPort()
      await made.naming.register({ service }, { ip: '10.1.0.1', port })
      await until('the instance', () => seen.ports().includes(port))
      for (const [name, tls] of [
        ['no client certificate', { ca }],
        ['no authority', pair],
        ['plain text', false],
      ] as const) {
        const refused = context.client({ tls, operationTimeoutMs: 1_500 })
        await assert.rejects(refused.ready(), { code: 'LANEWAY_NACOS_UNAVAILABLE' }, name)
      }
    },
  },
]
