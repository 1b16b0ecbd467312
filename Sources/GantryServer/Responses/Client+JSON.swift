package import Access

extension Client {
    /// The client as answers tell it.
    package var jsonObject: JSONObjectText {
        var object = JSONObjectText()
        object.add("client_id", id)
        object.add("organization", organization)
        object.add("scopes", Scope.all.filter(scopes.contains).map(\.rawValue))
        object.add("roles", roles.sorted())
        object.add("enabled", isEnabled)
        object.add("created_at", Timestamp.text(createdAt))
        object.add("changed_at", Timestamp.text(changedAt))
        return object
    }
}

extension APIKey {
    /// The key as answers tell it.
    package var jsonObject: JSONObjectText {
        var object = JSONObjectText()
        object.add("key_id", id)
        object.add("client", client)
        object.add("note", note)
        object.add("organization", organization)
        object.add("scopes", Scope.all.filter(scopes.contains).map(\.rawValue))
        object.add("networks", networks)
        object.add("created_at", Timestamp.text(createdAt))
        object.add("expires_at", expiresAt.map(Timestamp.text))
        object.add("revoked_at", revokedAt.map(Timestamp.text))
        object.add("last_used_at", lastUsedAt.map(Timestamp.text))
        return object
    }
}
