/** One line of a recording, or of the play's log. */
export interface Entry {
  readonly t: number
  readonly kind: string
  readonly name?: string
  readonly [field: string]: any
}

/** What one object became, at which millisecond of the cluster. */
export interface Moment {
  readonly t: number
  /** `rollout-a`, `TrafficRouting`, `gray pod of spring-cloud-a` */
  readonly object: string
  /** The workload that it belongs to; none for what the Rollouts share. */
  readonly of: string | undefined
  readonly became: string
}

/**
 * What a release does, from the first image change on, told so that a recording of a real cluster and the play can be
 * compared: object by object, without generated names, only what is different from before.
 */
export function releaseSequence(entries: readonly Entry[]): Moment[] {
  const last = new Map<string, string>()
  const moments: Moment[] = []
  let begun = false
  for (const entry of entries) {
    begun ||= entry.kind === 'Action' && entry['action'].startsWith('set image')
    for (const { object, of, became } of tell(entry)) {
      if (last.get(object) === became) continue
      last.set(object, became)
      if (begun) moments.push({ t: entry.t, object, of, became })
    }
  }
  return moments
}

type Told = Omit<Moment, 't'>

function tell(entry: Entry): Told[] {
  const { kind, name = '', gone } = entry
  switch (kind) {
    case 'Action': {
      // A revert is a change as well, by whichever command.
      const [, verb, who] = /^(set image|undo|approve) (?:rollout-|spring-cloud-)?([ac])\b/.exec(entry['action']) ?? []
      if (who === undefined) return []
      return [{ object: 'user', of: undefined, became: `${verb === 'approve' ? 'approves' : 'changes'} ${who}` }]
    }
    case 'Rollout':
      return gone || entry['status'].phase === undefined ? [] : [tellRollout(name, entry['status'])]
    case 'TrafficRouting': {
      const { phase, message } = entry['status'] ?? {}
      return phase === undefined ? [] : [{ object: kind, of: undefined, became: `${phase}: ${message}` }]
    }
    case 'BatchRelease': {
      const became = gone
        ? 'gone'
        : entry['deleting']
          ? 'deleting'
          : `${entry['phase'] ?? 'new'}, partition ${entry['partition']}`
      return [{ object: `BatchRelease ${name}`, of: workloadOf(name), became }]
    }
    case 'HTTPRoute':
      return [
        {
          object: 'route',
          of: undefined,
          became: JSON.stringify(entry['rules']).includes('x-mse-tag","value') ? 'colours' : 'plain',
        },
      ]
    case 'Ingress': {
      if (!name.endsWith('-canary')) return []
      const colours = !gone && JSON.stringify(entry['annotations']).includes('x-mse-tag')
      return [
        {
          object: 'route',
          of: undefined,
          became: colours ? 'colours' : gone ? 'plain' : 'plain, canary with weight 0',
        },
      ]
    }
    case 'Deployment':
      return tellDeployment(name, entry)
    case 'Pod':
      return tellGrayPod(name, entry)
    default:
      return []
  }
}

function tellRollout(name: string, status: any): Told {
  const { phase, message, canaryStatus: step, conditions = [] } = status
  const progressing = conditions.find((one: any) => one.type === 'Progressing')?.reason ?? ''
  const succeeded = conditions.find((one: any) => one.type === 'Succeeded')?.status
  const at = [step?.currentStepIndex, step?.currentStepState, step?.finalisingStep].filter(Boolean).join(' ')
  const end = succeeded === undefined ? '' : `, succeeded ${succeeded}`
  return { object: name, of: workloadOf(name), became: `${phase}/${progressing}${end}, ${at}: ${message}` }
}

function tellDeployment(name: string, { gone, replicas, paused, image }: Entry): Told[] {
  const [, workload = '', extra] = /^(spring-cloud-[ac])(-\w{5})?$/.exec(name) ?? []
  if (workload === '') return []
  if (extra === undefined) {
    const became = `${paused ? 'paused' : 'rolls'} at ${image.replace('mse-', '')}`
    return [{ object: workload, of: workload, became }]
  }
  return [{ object: `gray ${workload}`, of: workload, became: gone ? 'gone' : `replicas ${replicas}` }]
}

function tellGrayPod(name: string, { gone, ready, deleting }: Entry): Told[] {
  const [, workload, extra] = /^(spring-cloud-[ac])-(\w{5})-/.exec(name) ?? []
  if (workload === undefined || extra === undefined || name.split('-').length < 6) return []
  const became = gone ? 'gone' : deleting ? 'deleting' : ready ? 'ready' : 'starting'
  return [{ object: `gray pod of ${workload}`, of: workload, became }]
}

function workloadOf(rollout: string): string {
  return rollout.replace('rollout-', 'spring-cloud-')
}
