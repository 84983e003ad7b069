import { currentLane } from '@laneway/core'
import { createParamDecorator } from '@nestjs/common'

/**
 * The lane of the running handler, as a parameter: a `Lane`, or `undefined` for base. For controllers, gateways and message
 * handlers. A service calls `currentLane()` of `@laneway/core`, which needs no parameter.
 *
 * @example
 * \@Get() find(\@CurrentLane() lane: Lane | undefined) { … }
 */
export const CurrentLane: () => ParameterDecorator = createParamDecorator(() => currentLane())
