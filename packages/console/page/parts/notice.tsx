import type { ComponentChildren } from 'preact'

/** What stands where there is nothing to show: what is missing, and what would change that. */
export function Empty({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      <p>{children}</p>
    </div>
  )
}

/** Something is wrong; what is shown may be old. */
export function Problem({ children }: { children: ComponentChildren }) {
  return (
    <p class="problem" role="status">
      {children}
    </p>
  )
}
