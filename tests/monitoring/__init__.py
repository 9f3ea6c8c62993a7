"""The dashboards, the alerts and the runbook, against what the service exports."""
