// Package rules holds the hazards that pgsluice knows: one rule is one .go file and one .sql file of cases beside it, which is its test, its
// example and its page.
package rules

import "github.com/pgsluice/pgsluice/policy"

// All returns every rule. Their order is the order in which findings are told, and in which recipes are preferred: the lock budget, which
// nearly every schema change needs, comes after what has a safer form.
func All() []policy.Rule {
	return []policy.Rule{
		unjudged(),
		indexNotConcurrent(),
		dropIndexNotConcurrent(),
		reindexNotConcurrent(),
		foreignKeyValidatedAtOnce(),
		checkValidatedAtOnce(),
		refreshNotConcurrent(),
		clusterOrVacuumFull(),
		storageCopied(),
		partitionScannedOnAttach(),
		partitionCreatedAttached(),
		partitionDetachedAtOnce(),
		partitionDroppedAttached(),
		recursesToPartitions(),
		filledInTransaction(),
		indexTooWide(),
		indexRedundant(),
		notNullCheckedInPlace(),
		keyBuiltInPlace(),
		exclusionBuiltInPlace(),
		foreignKeyWithoutIndex(),
		foreignKeyCascades(),
		notNullDropped(),
		constraintDropped(),
		columnFilledInPlace(),
		columnConstrainedInPlace(),
		columnWithoutValue(),
		columnTypeChanged(),
		jsonWithoutEquality(),
		identityStartsOver(),
		lockWithoutBudget(),
	}
}
