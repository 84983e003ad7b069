import type { ControllerContext } from './controller-context.js'
import type { RouteStrategy, RouteTarget } from './rollout-spec.js'
import { createRoute } from './route.js'

/** Looks at the routes of a Rollout's own are three seconds apart; the first step also makes the canary Service. */
const LOOK_MS = 3000

/**
 * Writes the routes of one step of a Rollout that brings its own. A step without any says that there are none.
 *
 * @param inState - ms since the step came to its routes
 * @returns ms until the next look, 0 when they are written and seen to stay
 */
export function writeOwnRoute(
  { store }: ControllerContext,
  target: RouteTarget,
  strategy: RouteStrategy | undefined,
  inState: number,
  first: boolean,
): number {
  const route = createRoute(store, target)
  const from = first ? 2 * LOOK_MS : LOOK_MS
  if (inState < from) return from - inState
  if (strategy === undefined) route.restore()
  else if (!route.write(strategy)) return LOOK_MS
  return Math.max(from + LOOK_MS - inState, 0)
}

export function restoreOwnRoute({ store }: ControllerContext, target: RouteTarget): void {
  createRoute(store, target).restore()
}
