import Foundation

@testable import Saldo

/// Compares the fields that the table has.
func compare(_ shown: Fields, _ expected: Fields) throws {
    for (name, value) in expected {
        let is = shown[name] ?? "missing"
        if "\(is)" != "\(value)" && !isSameTruth(is, value) {
            throw Difference("\(name) is \(is), expected \(value), in \(shown)")
        }
    }
}

/// JSON gives a truth value as a number on some platforms.
private func isSameTruth(_ one: Any, _ other: Any) -> Bool {
    guard let one = one as? Bool, let other = other as? Bool else { return false }
    return one == other
}

func compare(_ readings: [Reading], _ expected: [Fields]) throws {
    guard readings.count == expected.count else { throw Difference("\(readings.count) readings") }
    for (reading, fields) in zip(readings, expected) {
        try compare(shown(reading, fields), fields)
    }
}

func amount(_ proven: Proven?) -> String {
    proven?.amount.digits ?? "none"
}

func shown(_ reading: Reading, _ expected: Fields) -> Fields {
    func unproven(_ why: Why, _ last: Proven?) -> Fields {
        [
            "why": why.code, "needs_action": why.needsAction, "has_retry_after": why.retryAfterSeconds != nil,
            "last": amount(last),
        ]
    }
    func layout(_ derivation: Derivation?) -> String {
        if case .slot(let layout, _, _) = derivation { return layout }
        return "none"
    }
    switch reading {
    case .proven(let proven):
        return [
            "frozen": proven.isFrozen, "layout": layout(proven.derivation),
            "state": "proven", "amount": proven.amount.digits, "restored": proven.isRestored,
            "level": proven.block.assurance.level, "nonce": proven.nonce.map { "\($0)" } ?? "none",
            "agreed_by_at_least": min(proven.block.origin.agreedBy.count, expected["agreed_by_at_least"] as? Int ?? 0),
        ]
    case .provisional(let claim):
        var fields = unproven(claim.why, claim.last)
        fields["state"] = "provisional"
        fields["quorum"] = claim.quorum.map { Int($0.operators) } ?? 0
        switch claim.unconfirmed {
        case .claimed(let amount): fields["unconfirmed"] = amount.digits
        case .notShown: fields["unconfirmed"] = "none"
        }
        return fields
    case .unknown(let unknown):
        var fields = unproven(unknown.why, unknown.last)
        fields["state"] = "unknown"
        return fields
    }
}

func shown(_ last: Proven?) -> Fields {
    ["amount": amount(last), "restored": last?.isRestored ?? false]
}

func shown(_ total: Total) -> Fields {
    func part(_ sum: PartialSum) -> String {
        if case .of(let amount) = sum { return amount.digits }
        return "none"
    }
    switch total.sum {
    case .proven(let amount): return ["sum": "proven", "amount": amount.digits]
    case .remembered(let together, _, _): return ["sum": "remembered", "amount": together.digits]
    case .partial(let proven, let remembered, let missing):
        return ["sum": "partial", "proven": part(proven), "remembered": part(remembered), "missing": missing.count]
    default: return [:]
    }
}

func shown(_ reading: TokenReading) -> Fields {
    let layout = reading.proven?.layout
    return [
        "provable": reading.proven?.provable ?? "none", "layout": layout?.name ?? "none",
        "tells_frozen": layout?.tellsFrozen ?? false, "why": reading.why?.code ?? "none",
    ]
}

func shown(_ list: TokenList) -> Fields {
    let first = list.tokens[0].info
    return [
        "tokens": list.tokens.count, "other_networks": Int(list.otherNetworks), "skipped": Int(list.skipped),
        "decimals": Int(first.decimals), "source": first.source, "symbol": first.symbol.text,
        "flaws": first.symbol.flaws.joined(separator: ","),
    ]
}

func shown(_ verdict: Verdict) -> Fields {
    switch verdict {
    case .confirmed(let proven): return ["verdict": "confirmed", "proven": proven.amount.digits]
    case .different(let proven, let claimed):
        return ["verdict": "different", "proven": proven.amount.digits, "claimed": claimed.digits]
    case .changed(let proven, let claimed, _):
        return ["verdict": "changed", "proven": proven.amount.digits, "claimed": claimed.digits]
    case .notChecked(let unknown): return ["verdict": "not_checked", "why": unknown.why.code]
    }
}

func shown(_ change: Change, _ expected: Fields) -> Fields {
    switch change {
    case .reading(_, let reading, _):
        var fields = shown(reading, expected)
        fields["change"] = "reading"
        return fields
    case .remembered(_, let last, _): return ["change": "remembered", "amount": amount(last)]
    case .withdrawn(_, let withdrawn, _, _): return ["change": "withdrawn", "amount": amount(withdrawn)]
    case .storage(let unwritten): return ["change": "storage", "unwritten": unwritten ?? "none"]
    case .activity: return ["change": "activity"]
    default: return ["change": "other"]
    }
}

func shown(_ health: Health) -> Fields {
    func shown(_ rollup: RollupHealth?) -> String {
        guard let rollup else { return "none" }
        if rollup.stoppedTimestamp != nil { return "stopped" }
        return rollup.newest == nil ? "not_vouched" : "vouched"
    }
    return [
        "is_closed": health.isClosed, "is_offline": health.isOffline, "is_clock_off": health.isClockOff,
        "is_faulted": health.isFaulted, "rollup": shown(health.rollup),
    ]
}
