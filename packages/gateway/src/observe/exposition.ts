/** A metric with its series. https://prometheus.io/docs/instrumenting/exposition_formats/ */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly samples: Iterable<{ readonly labels: string; readonly value: number; readonly suffix?: string }>
}

/** The content type of {@link exposition}. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** @param families - their labels are text already, `a="b",c="d"` */
export function exposition(families: readonly Family[]): string {
  let text = ''
  for (const { name, help, type, samples } of families) {
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
    for (const { labels, value, suffix = '' } of samples) {
      text += `${name}${suffix}${labels === '' ? '' : `{${labels}}`} ${value}\n`
    }
  }
  return text
}
