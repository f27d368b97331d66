export { jointCommittedIndex, jointVoteResult } from "./joint.js";
export {
  type MatchIndexOf,
  majorityCommittedIndex,
  majorityVoteResult,
  unboundedIndex,
  type VoteOf,
  type VoteResult,
} from "./majority.js";
