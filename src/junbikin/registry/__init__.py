"""The registry (登録簿): people and roles, requests and approvals, places, providers, insurers and policies."""
