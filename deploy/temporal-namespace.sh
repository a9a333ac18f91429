#!/bin/sh
# Makes the namespace and the search attributes that grants are found by, on any cluster that the temporal command
# line reaches (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, ...). May be run again and again.
set -eu

retention=90d # how long closed grants can be looked at in Temporal; the receipts in the ledger stay
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$retention"

# One at a time: of several names in one call the command line registers the first. And more than once, since the
# frontend takes seconds to learn of a new namespace.
register() {
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$1" --type "$2" && return
        sleep 1
    done
    echo "search attribute $1 could not be registered, after $attempt attempts" >&2
    return 1
}
register Tenant Keyword
register Technician Keyword
register GrantState Keyword
register ExpiresAt Datetime
register Alarm Keyword
register Ticket Keyword
