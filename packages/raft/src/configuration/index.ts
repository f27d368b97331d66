export type { DecodeOutcome } from "./bytes.js";
export {
  type ChangeRoute,
  type ConfigurationChange,
  changeContextBytesMax,
  configurationChangesMax,
  leaveJointChange,
  type MemberChange,
  type MemberChangeType,
  routeOf,
  type Transition,
  validateConfigurationChange,
} from "./change.js";
export { decodeConfigurationChange, encodeConfigurationChange } from "./change-codec.js";
export { applyConfigurationChange, emptyMembership, enterJoint, leaveJoint, restoreMembership, simpleChange } from "./changer.js";
export {
  type Configuration,
  configurationMembersMax,
  describeConfiguration,
  emptyConfiguration,
  isJoint,
  membersOf,
} from "./configuration.js";
export { decodeConfiguration, encodeConfiguration } from "./configuration-codec.js";
export type { MemberProgress, Membership, MembershipOutcome } from "./membership.js";
export type { MembershipRefusal, MembershipRefusalCode } from "./refusal.js";
export { validateConfiguration } from "./validate.js";
