"""What stands around a policy while it steers a job: guards, budgets, alarms."""
