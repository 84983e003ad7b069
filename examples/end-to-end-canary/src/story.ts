import type { Fleet } from './fleet.js'
import type { Phases } from './phases.js'

/** Prints a path as the services saw it, once for everybody and once for the one gray user. */
export async function showPaths(url: string): Promise<void> {
  for (const [command, headers] of [
    ['curl /a', {}],
    ["curl /a -H 'User-Agent: xiaoming'", { 'user-agent': 'xiaoming' }],
  ] as const) {
    const response = await fetch(`${url}/a`, { headers })
    const text = (await response.text()).trim().replace(/\{[^}]*\}/g, '')
    console.log(`  ${command.padEnd(36)}${response.status === 200 ? text : `${response.status} ${text}`}`)
  }
}

/** Waits until the chain answers: instances are known to each other about half a second after they have registered. */
export async function untilServed(url: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const response = await fetch(`${url}/a`)
    await response.text()
    if (response.status === 200) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error('the services do not find each other after 10 s')
}

/** Base 2.0.0 of A, B and C; gray of A and C, promoted; gray again, rolled back. */
export async function playStory(fleet: Fleet, phases: Phases, url: string): Promise<void> {
  const gray = async (version: string) => {
    await Promise.all([fleet.start('a', version, 'gray'), fleet.start('c', version, 'gray')])
  }
  const grayLeaves = async (version: string) => {
    await Promise.all(
      [...fleet.up('a', version, 'gray'), ...fleet.up('c', version, 'gray')].map(one => fleet.leave(one)),
    )
  }

  await phases.play('base 2.0.0 alone', async () => {})
  await scene('gray 2.0.1 of A and C starts, B has none', phases, () => gray('2.0.1'), url)
  await scene(
    'promote: base goes to 2.0.1',
    phases,
    async () => {
      await Promise.all([fleet.start('a', '2.0.1'), fleet.start('c', '2.0.1')])
      await Promise.all([...fleet.up('a', '2.0.0'), ...fleet.up('c', '2.0.0')].map(one => fleet.leave(one)))
    },
    url,
  )
  await scene('promote: gray 2.0.1 leaves', phases, () => grayLeaves('2.0.1'), url)
  await scene('gray 2.0.2 of A and C starts', phases, () => gray('2.0.2'), url)
  await scene('roll back: gray 2.0.2 leaves', phases, () => grayLeaves('2.0.2'), url)
}

async function scene(name: string, phases: Phases, happen: () => Promise<void>, url: string): Promise<void> {
  console.log(`\n${name}`)
  await phases.play(name, happen)
  await showPaths(url)
}
